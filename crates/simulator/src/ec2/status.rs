//! `DescribeInstanceStatus`.

use super::describe::{select, write_state};
use super::instance::{Instance, InstanceState};
use crate::service::ServiceError;
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

const FILTERS: [&str; 2] = ["availability-zone", "instance-state-name"];

/// The status of running instances, or of all if the call asks for them.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let all = form.parsed::<bool>("IncludeAllInstances")?.unwrap_or(false);
    let now = state.now;
    let (page, next) =
        select(state, form, &FILTERS, |instance| all || instance.described(now) == InstanceState::Running)?;
    for index in &page {
        if state.ec2.instances[*index].checks_passed(state.now) {
            state.record_checks_wait(*index);
        }
    }
    Ok(Xml::ec2("DescribeInstanceStatus", |xml| {
        xml.list("instanceStatusSet", "item", page, |xml, index| {
            let instance = &state.ec2.instances[index];
            xml.text("instanceId", &instance.id).text("availabilityZone", &instance.spec.subnet.zone);
            write_state(xml, "instanceState", instance.described(now));
            let (status, reachability) = summary(state, instance);
            checks(xml, "systemStatus", if status == "impaired" { ("ok", "passed") } else { (status, reachability) });
            checks(xml, "instanceStatus", (status, reachability));
        });
        xml.optional("nextToken", next);
    }))
}

/// The status and its reachability check. An instance that never passes is `initializing` for the longest time that the
/// checks can take, and then `impaired`.
fn summary(state: &State, instance: &Instance) -> (&'static str, &'static str) {
    let patience = state.world.latencies.status_checks.high;
    match instance.state {
        InstanceState::Running if instance.checks_passed(state.now) => ("ok", "passed"),
        InstanceState::Running if instance.dead || state.now >= instance.up_since + patience => ("impaired", "failed"),
        InstanceState::Running => ("initializing", "initializing"),
        _ => ("not-applicable", "not-applicable"),
    }
}

fn checks(xml: &mut Xml, name: &str, (status, reachability): (&str, &str)) {
    xml.element(name, |xml| {
        xml.text("status", status);
        xml.list("details", "item", [reachability], |xml, reachability| {
            xml.text("name", "reachability").text("status", reachability);
        });
    });
}
