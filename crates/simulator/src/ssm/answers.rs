//! `GetCommandInvocation`, `ListCommandInvocations`, `ListCommands`.

use serde_json::{Value, json};

use super::Page;
use super::command::{Command, Invocation, Status};
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::json::Fields;

/// How many characters of a script's output `GetCommandInvocation` returns.
const MOST_OUTPUT: usize = 24_000;
/// How many characters of it `ListCommandInvocations` returns.
const MOST_LISTED: usize = 2_500;
/// The name of the plugin that runs the script, in the document.
const PLUGIN: &str = "aws:runShellScript";

/// `GetCommandInvocation`. It does not know a command right after `SendCommand`.
pub(super) fn get_invocation(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let (command, instance) = (fields.required("CommandId")?, fields.required("InstanceId")?);
    fields.finish()?;
    let missing =
        || refuse("InvocationDoesNotExist", format!("The command {command} has no invocation on {instance}."));
    let sent = state.commands.iter().find(|one| one.id == command && one.visible <= state.now).ok_or_else(missing)?;
    let named = |one: &&Invocation| state.ec2.instances[one.instance].id == instance;
    let invocation = sent.invocations.iter().find(named).ok_or_else(missing)?;
    let mut answer = json!({
        "CommandId": command,
        "InstanceId": instance,
        "Comment": sent.comment,
        "DocumentName": state.world.configure_document,
        "PluginName": PLUGIN,
        "ResponseCode": response_code(invocation),
        "Status": invocation.status.name(),
        "StatusDetails": invocation.status.details(),
        "StandardOutputContent": first(&invocation.result.output, MOST_OUTPUT),
        "StandardErrorContent": "",
    });
    if let Some(started) = invocation.started {
        answer["ExecutionStartDateTime"] = state.iso(started).into();
    }
    if let Some(ended) = invocation.ended {
        answer["ExecutionEndDateTime"] = state.iso(ended).into();
    }
    Ok(answer)
}

/// `ListCommands`, the newest first.
pub(super) fn list_commands(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let (command, instance) = (fields.string("CommandId")?, fields.string("InstanceId")?);
    let page = Page::read(fields, 1..=50, 50)?;
    fields.finish()?;
    let admitted = state.commands.iter().rev().filter(|one| {
        one.visible <= state.now
            && command.as_ref().is_none_or(|id| *id == one.id)
            && instance
                .as_ref()
                .is_none_or(|id| one.invocations.iter().any(|on| state.ec2.instances[on.instance].id == *id))
    });
    let (page, next) = page.slice(admitted);
    let commands: Vec<Value> = page.into_iter().map(|one| command_json(state, one)).collect();
    Ok(with_token(json!({"Commands": commands}), next))
}

/// `ListCommandInvocations`, the newest first.
pub(super) fn list_invocations(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let (command, instance) = (fields.string("CommandId")?, fields.string("InstanceId")?);
    let details = fields.boolean("Details")?.unwrap_or(false);
    let page = Page::read(fields, 1..=50, 50)?;
    fields.finish()?;
    let all = state.commands.iter().rev().flat_map(|one| one.invocations.iter().map(move |on| (one, on)));
    let admitted = all.filter(|(one, on)| {
        one.visible <= state.now
            && command.as_ref().is_none_or(|id| *id == one.id)
            && instance.as_ref().is_none_or(|id| *id == state.ec2.instances[on.instance].id)
    });
    let (page, next) = page.slice(admitted);
    let invocations: Vec<Value> = page.into_iter().map(|(one, on)| invocation_json(state, one, on, details)).collect();
    Ok(with_token(json!({"CommandInvocations": invocations}), next))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}

pub(super) fn command_json(state: &State, command: &Command) -> Value {
    let statuses = || command.invocations.iter().map(|one| one.status);
    let finished = statuses().filter(|status| status.finished()).count();
    let unfinished = statuses().find(|status| !status.finished());
    let worst = statuses().find(|status| *status != Status::Success);
    let status = unfinished.or(worst).unwrap_or(Status::Success);
    let instances: Vec<&str> =
        command.invocations.iter().map(|one| state.ec2.instances[one.instance].id.as_str()).collect();
    let errors = statuses().filter(|status| matches!(status, Status::Failed)).count();
    json!({
        "CommandId": command.id,
        "DocumentName": state.world.configure_document,
        "Comment": command.comment,
        "ExpiresAfter": state.epoch_seconds(command.requested + command.delivery_timeout),
        "Parameters": {
            "Version": [command.configure.version],
            "From": [command.configure.from],
            "Run": [command.configure.run],
        },
        "InstanceIds": instances,
        "RequestedDateTime": state.epoch_seconds(command.requested),
        "Status": status.name(),
        "StatusDetails": status.details(),
        "TargetCount": command.invocations.len(),
        "CompletedCount": finished,
        "ErrorCount": errors,
        "TimeoutSeconds": command.delivery_timeout.as_secs(),
    })
}

fn invocation_json(state: &State, command: &Command, invocation: &Invocation, details: bool) -> Value {
    let mut answer = json!({
        "CommandId": command.id,
        "InstanceId": state.ec2.instances[invocation.instance].id,
        "Comment": command.comment,
        "DocumentName": state.world.configure_document,
        "RequestedDateTime": state.epoch_seconds(command.requested),
        "Status": invocation.status.name(),
        "StatusDetails": invocation.status.details(),
    });
    if details {
        answer["CommandPlugins"] = json!([{
            "Name": PLUGIN,
            "Status": invocation.status.name(),
            "StatusDetails": invocation.status.details(),
            "ResponseCode": response_code(invocation),
            "Output": first(&invocation.result.output, MOST_LISTED),
        }]);
    }
    answer
}

/// The script's exit code, or -1 until the script has ended.
fn response_code(invocation: &Invocation) -> i32 {
    match invocation.status {
        Status::Success | Status::Failed => invocation.result.exit_code,
        _ => -1,
    }
}

fn first(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_truncated_by_characters() {
        assert_eq!(first("äbc", 2), "äb");
        assert_eq!(first("ab", 2), "ab");
    }
}
