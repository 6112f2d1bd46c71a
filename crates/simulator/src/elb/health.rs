//! `DescribeTargetHealth`.

use super::target::{Health, Target};
use super::{find_group, target_ids};
use crate::ec2::instance::{Instance, InstanceState};
use crate::service::{ServiceError, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// The health of the named targets, or of all of them.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let group = find_group(state, &form.required("TargetGroupArn")?)?;
    let ids = target_ids(state, form)?;
    if !form.list("Include.member").is_empty() {
        return Err(unsupported("Include in DescribeTargetHealth"));
    }
    form.finish()?;
    let targets = &state.groups[group].targets;
    let all: Vec<(String, Seen)> = if ids.is_empty() {
        targets.iter().map(|(index, target)| seen(&state.ec2.instances[*index], target)).collect()
    } else {
        let find = |id: String| {
            let index = state.ec2.by_id.get(&id).copied();
            let found = index.and_then(|index| Some((index, targets.get(&index)?)));
            found.map_or((id, NOT_REGISTERED), |(index, target)| seen(&state.ec2.instances[index], target))
        };
        ids.into_iter().map(find).collect()
    };
    let port = state.world.target_port.to_string();
    Ok(Xml::query("DescribeTargetHealth", |xml| {
        xml.list("TargetHealthDescriptions", "member", all, |xml, (id, (state, why))| {
            xml.element("Target", |xml| {
                xml.text("Id", id).text("Port", &port);
            });
            xml.text("HealthCheckPort", &port);
            xml.element("TargetHealth", |xml| {
                xml.text("State", state);
                if let Some((reason, description)) = why {
                    xml.text("Reason", reason).text("Description", description);
                }
            });
        });
    }))
}

/// A target's state, and a reason and a description unless the state is `healthy`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
type Seen = (&'static str, Option<(&'static str, &'static str)>);

const NOT_REGISTERED: Seen = ("unused", Some(("Target.NotRegistered", "Target is not registered to the target group")));

fn seen(instance: &Instance, target: &Target) -> (String, Seen) {
    let health = match (target.health, instance.state) {
        (Health::Draining, _) => {
            ("draining", Some(("Target.DeregistrationInProgress", "Target deregistration is in progress")))
        }
        (_, InstanceState::Stopped) => ("unused", Some(("Target.InvalidState", "Target is in the stopped state"))),
        (Health::Initial, _) => ("initial", Some(("Elb.InitialHealthChecking", "Initial health checks in progress"))),
        (Health::Healthy, _) => ("healthy", None),
        (Health::Unhealthy, _) if target.never_healthy => {
            ("unhealthy", Some(("Target.ResponseCodeMismatch", "Health checks failed with these codes: [401]")))
        }
        (Health::Unhealthy, _) => ("unhealthy", Some(("Target.Timeout", "Request timed out"))),
    };
    (instance.id.clone(), health)
}
