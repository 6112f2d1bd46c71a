//! `StopInstances`, `StartInstances` and `TerminateInstances`. Each changes all instances that it names, or none.

use super::describe::{find, write_state};
use super::instance::{InstanceState, vcpus};
use super::launch::vcpus_in_use;
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// `StopInstances`.
pub(super) fn stop(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let instances = named(state, form)?;
    for index in &instances {
        let instance = &state.ec2.instances[*index];
        if matches!(instance.state, InstanceState::Pending | InstanceState::ShuttingDown | InstanceState::Terminated) {
            return Err(incorrect_state(&instance.id, "stopped"));
        }
    }
    Ok(change(state, "StopInstances", &instances, |state, index| {
        if state.ec2.instances[index].state == InstanceState::Running {
            state.begin_stop(index);
        }
    }))
}

/// `StartInstances`.
pub(super) fn start(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let instances = named(state, form)?;
    let mut wanted = 0;
    for index in &instances {
        let instance = &state.ec2.instances[*index];
        match instance.state {
            InstanceState::Stopping | InstanceState::ShuttingDown | InstanceState::Terminated => {
                return Err(incorrect_state(&instance.id, "started"));
            }
            InstanceState::Stopped => wanted += vcpus(&instance.spec.instance_type).unwrap_or_default(),
            InstanceState::Pending | InstanceState::Running => {}
        }
    }
    if vcpus_in_use(state) + wanted > state.world.vcpu_quota {
        return Err(super::launch::quota_exceeded(state));
    }
    Ok(change(state, "StartInstances", &instances, |state, index| {
        if state.ec2.instances[index].state == InstanceState::Stopped {
            state.become_pending(index);
        }
    }))
}

/// `TerminateInstances`.
pub(super) fn terminate(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let instances = named(state, form)?;
    Ok(change(state, "TerminateInstances", &instances, |state, index| {
        if !state.ec2.instances[index].state.gone() {
            state.begin_terminate(index);
        }
    }))
}

/// The maximum number of instances in one call.
const MOST: usize = 1_000;

fn named(state: &State, form: &mut Form) -> Result<Vec<usize>, ServiceError> {
    let ids = form.list("InstanceId");
    form.finish()?;
    if ids.is_empty() {
        return Err(refuse("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    if ids.len() > MOST {
        return Err(refuse(
            "InvalidParameterValue",
            format!("{} instances are more than the {MOST} of one call", ids.len()),
        ));
    }
    find(state, &ids, false)
}

fn incorrect_state(id: &str, wanted: &str) -> ServiceError {
    let message = format!("The instance '{id}' is not in a state from which it can be {wanted}.");
    refuse("IncorrectInstanceState", message)
}

/// Changes each instance. The answer has its previous and its current state.
fn change(
    state: &mut State,
    operation: &'static str,
    instances: &[usize],
    mut effect: impl FnMut(&mut State, usize),
) -> Vec<u8> {
    let mut changes = Vec::with_capacity(instances.len());
    for index in instances {
        let before = state.ec2.instances[*index].state;
        state.touch_instance(operation, *index);
        effect(state, *index);
        changes.push((*index, before));
    }
    Xml::ec2(operation, |xml| {
        xml.list("instancesSet", "item", changes, |xml, (index, before)| {
            let instance = &state.ec2.instances[index];
            xml.text("instanceId", &instance.id);
            write_state(xml, "currentState", instance.state);
            write_state(xml, "previousState", before);
        });
    })
}
