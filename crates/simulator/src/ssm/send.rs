//! `SendCommand`, `CancelCommand`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::command_json;
use super::command::{CANCELLATION, Command, DELIVERY, Invocation, ScriptResult, Status};
use super::configure::Configure;
use crate::clock::Time;
use crate::events::Event;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::json::Fields;

/// The maximum number of instances in one call.
const MOST_INSTANCES: usize = 50;
/// The maximum number of characters of a comment.
const MOST_COMMENT: usize = 100;

/// `SendCommand`. It has no client token, so a repeated call is a second command.
pub(super) fn send(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let document = fields.required("DocumentName")?;
    let ids = fields.strings("InstanceIds")?;
    let comment = fields.string("Comment")?.unwrap_or_default();
    let timeout = fields.number("TimeoutSeconds")?.unwrap_or(3_600);
    let parameters: BTreeMap<String, Vec<String>> = fields.map("Parameters")?;
    if let Some(version) = fields.string("DocumentVersion")?.filter(|version| !version.starts_with('$')) {
        return Err(unsupported(format_args!("version {version} of a document")));
    }
    fields.finish()?;
    if document != state.world.configure_document {
        return Err(refuse("InvalidDocument", format!("Document with name {document} does not exist.")));
    }
    if ids.is_empty() || ids.len() > MOST_INSTANCES {
        let message = format!(
            "1 validation error detected: Value at 'instanceIds' failed to satisfy constraint: Member must have length less than or equal to {MOST_INSTANCES}"
        );
        return Err(refuse("ValidationException", message));
    }
    if comment.len() > MOST_COMMENT || !(30..=2_592_000).contains(&timeout) {
        return Err(refuse(
            "ValidationException",
            "1 validation error detected: a comment has at most 100 characters, and timeoutSeconds is 30 to 2592000",
        ));
    }
    let configure = configure(parameters)?;
    let instances = online(state, &ids)?;

    let command = state.commands.len();
    let visible = state.now + state.dice.latency("command-visible", command as u64, state.world.latencies.visibility);
    for (invocation, instance) in instances.iter().enumerate() {
        state.touch_instance("SendCommand", *instance);
        state.record_agent_wait(*instance);
        state.queue.schedule(state.now + DELIVERY, Event::Delivered { command, invocation });
    }
    state.commands.push(Command {
        id: state.dice.uuid("command", command as u64),
        comment,
        configure,
        requested: state.now,
        visible,
        delivery_timeout: Duration::from_secs(timeout),
        invocations: instances.into_iter().map(invocation).collect(),
    });
    Ok(json!({"Command": command_json(state, &state.commands[command])}))
}

fn invocation(instance: usize) -> Invocation {
    Invocation {
        instance,
        status: Status::Pending,
        epoch: 0,
        started: None,
        ends: Time::ZERO,
        ended: None,
        result: ScriptResult::default(),
    }
}

/// Reads the document's three parameters. Each is one string.
fn configure(mut parameters: BTreeMap<String, Vec<String>>) -> Result<Configure, ServiceError> {
    let mut take = |name: &str| match parameters.remove(name).as_deref() {
        Some([value]) if !value.is_empty() => Ok(value.clone()),
        _ => Err(refuse("InvalidParameters", format!("The parameter {name} is missing or is not one string."))),
    };
    let configure = Configure { version: take("Version")?, from: take("From")?, run: take("Run")? };
    match parameters.keys().next() {
        Some(name) => Err(refuse("InvalidParameters", format!("The document has no parameter {name}."))),
        None => Ok(configure),
    }
}

fn online(state: &State, ids: &[String]) -> Result<Vec<usize>, ServiceError> {
    let mut instances = Vec::with_capacity(ids.len());
    for id in ids {
        let index = state.ec2.by_id.get(id).copied();
        match index.filter(|index| state.ec2.instances[*index].agent_online(state.now)) {
            Some(index) => instances.push(index),
            None => {
                let message = format!("Instances [[{id}]] not in a valid state for account {}", state.world.account);
                return Err(refuse("InvalidInstanceId", message));
            }
        }
    }
    Ok(instances)
}

/// `CancelCommand`. A finished command does not change.
pub(super) fn cancel(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let id = fields.required("CommandId")?;
    let ids = fields.strings("InstanceIds")?;
    fields.finish()?;
    let Some(command) = state.commands.iter().position(|command| command.id == id) else {
        return Err(refuse("InvalidCommandId", format!("The command {id} does not exist.")));
    };
    for invocation in 0..state.commands[command].invocations.len() {
        let instance = state.commands[command].invocations[invocation].instance;
        if !ids.is_empty() && !ids.contains(&state.ec2.instances[instance].id) {
            continue;
        }
        state.touch_instance("CancelCommand", instance);
        let this = &mut state.commands[command].invocations[invocation];
        match this.status {
            Status::Pending => (this.status, this.ended) = (Status::Cancelled, Some(state.now)),
            Status::InProgress => {
                this.status = Status::Cancelling;
                this.epoch += 1;
                let epoch = this.epoch;
                state.queue.schedule(state.now + CANCELLATION, Event::Ended { command, invocation, epoch });
            }
            _ => {}
        }
    }
    Ok(json!({}))
}
