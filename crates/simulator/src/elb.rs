//! Elastic Load Balancing v2: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/>.

pub(crate) mod target;

mod groups;
mod health;
mod registration;

use std::collections::BTreeMap;

use crate::buckets::{Demand, rate};
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;

use target::Target;

/// A target group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) arn: String,
    /// Its targets, by the index of their instance.
    pub(crate) targets: BTreeMap<usize, Target>,
}

/// The fleet's own group is the first one. Clients send their requests to it.
pub(crate) const OWN_GROUP: usize = 0;

/// Identifies a target: an instance in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TargetKey {
    pub(crate) group: usize,
    pub(crate) instance: usize,
}

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    match operation {
        "DeregisterTargets" => registration::deregister(state, form),
        "DescribeTargetGroupAttributes" => groups::attributes(state, form),
        "DescribeTargetGroups" => groups::describe(state, form),
        "DescribeTargetHealth" => health::describe(state, form),
        "RegisterTargets" => registration::register(state, form),
        other => Err(unsupported(format_args!("the operation {other} of Elastic Load Balancing"))),
    }
}

/// The token buckets that apply to a call: the account's bucket, and the bucket of its kind of call.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/throttling.html>
pub(crate) fn demands(operation: &str) -> Vec<Demand> {
    let of_its_kind = match operation {
        "RegisterTargets" => ("RegisterTargets", rate(20, 4), 1),
        "DeregisterTargets" => ("DeregisterTargets", rate(20, 4), 1),
        describe if describe.starts_with("Describe") => ("load balancing describes", rate(40, 10), 1),
        _ => ("load balancing changes", rate(20, 3), 1),
    };
    vec![("load balancing", rate(40, 10), 1), of_its_kind]
}

fn find_group(state: &State, arn: &str) -> Result<usize, ServiceError> {
    let missing = || refuse("TargetGroupNotFound", "One or more target groups not found");
    state.groups.iter().position(|group| group.arn == arn).ok_or_else(missing)
}

/// The instance ids of a list of targets. A target may name the group's port, but no other.
fn target_ids(state: &State, form: &mut Form) -> Result<Vec<String>, ServiceError> {
    let mut ids = Vec::new();
    for mut target in form.structures("Targets.member") {
        let port = target.parsed::<u16>("Port")?;
        if let Some(port) = port.filter(|port| *port != state.world.target_port) {
            return Err(unsupported(format_args!("targets on the port {port}")));
        }
        ids.push(target.required("Id")?);
        target.finish()?;
    }
    Ok(ids)
}
