//! `RegisterTargets`, `DeregisterTargets`.

use super::target::{Health, Target};
use super::{TargetKey, find_group, target_ids};
use crate::ec2::instance::InstanceState;
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// `RegisterTargets`: registers all of its targets or none. A registered target does not change. A draining target
/// returns.
pub(super) fn register(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let group = find_group(state, &form.required("TargetGroupArn")?)?;
    let ids = target_ids(state, form)?;
    form.finish()?;
    let instances = running(state, &ids)?;
    let registered = |instance: &usize| {
        state.groups[group].targets.get(instance).is_some_and(|target| target.health != Health::Draining)
    };
    let present = state.groups[group].targets.values().filter(|target| target.health != Health::Draining).count();
    let new: Vec<usize> = instances.into_iter().filter(|instance| !registered(instance)).collect();
    if present + new.len() > state.world.target_quota as usize {
        let message =
            format!("The maximum number of targets ({}) in a target group has been reached", state.world.target_quota);
        return Err(refuse("TooManyTargets", message));
    }
    for instance in new {
        state.touch_target("RegisterTargets", group, instance);
        state.registered += 1;
        let never_healthy = state.faults.never_healthy(state.registered);
        let target = Target::new(state.now, Health::Initial, state.registered, never_healthy);
        state.groups[group].targets.insert(instance, target);
        state.schedule_health_change(TargetKey { group, instance });
        state.reconsider_targets(instance);
    }
    Ok(Xml::query("RegisterTargets", |_| {}))
}

fn running(state: &State, ids: &[String]) -> Result<Vec<usize>, ServiceError> {
    let mut instances = Vec::with_capacity(ids.len());
    for id in ids {
        let index = state.ec2.by_id.get(id).filter(|index| state.ec2.instances[**index].exists(state.now));
        match index {
            None => return Err(refuse("InvalidTarget", format!("Instance ID '{id}' is not valid"))),
            Some(index) if state.ec2.instances[*index].state == InstanceState::Running => instances.push(*index),
            Some(_) => {
                let message =
                    format!("The following targets are not in a running state and cannot be registered: '{id}'");
                return Err(refuse("InvalidTarget", message));
            }
        }
    }
    instances.sort_unstable();
    instances.dedup();
    Ok(instances)
}

/// `DeregisterTargets`. An unknown target is no error.
pub(super) fn deregister(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let group = find_group(state, &form.required("TargetGroupArn")?)?;
    let ids = target_ids(state, form)?;
    form.finish()?;
    for id in &ids {
        let Some(instance) = state.ec2.by_id.get(id).copied() else { continue };
        if state.groups[group].targets.contains_key(&instance) {
            state.touch_target("DeregisterTargets", group, instance);
            state.begin_draining(TargetKey { group, instance });
        }
    }
    Ok(Xml::query("DeregisterTargets", |_| {}))
}
