//! Commands on the builder, by Run Command of Systems Manager.
//!
//! SendCommand has no client token: a repeated attempt finds a command by its comment, and its script is safe to run twice.

use super::{Aws, CallError, Named};
use aws_sdk_ssm::types::{CommandInvocationStatus, InstanceInformationStringFilter, PingStatus};
use fleet::{CommandId, InstanceId, RunRef, Version, command_comment};

/// How long Run Command tries to deliver the command to the agent, in seconds. The minimum of AWS is 30.
const DELIVERY_SECONDS: i32 = 600;

/// A command that was sent to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// Its state.
    pub state: CommandState,
}

/// The state of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandState {
    /// Being delivered or running.
    InProgress,
    /// Ended with exit status 0.
    Success,
    /// Ended otherwise, with this status of Run Command.
    Failed(String),
}

impl Aws {
    /// Whether the SSM agent of the instance is online.
    ///
    /// # Errors
    /// Any error of Systems Manager.
    pub async fn agent_is_online(&self, instance: &InstanceId) -> Result<bool, CallError> {
        let filter = InstanceInformationStringFilter::builder().key("InstanceIds").values(instance.as_str()).build();
        let Ok(filter) = filter else { return Ok(false) };
        let answer = self.ssm.describe_instance_information().filters(filter).send().await;
        let answer = answer.of("DescribeInstanceInformation")?;
        Ok(answer.instance_information_list().iter().any(|agent| agent.ping_status() == Some(&PingStatus::Online)))
    }

    /// The command of this hop on the instance, if the run has sent one.
    ///
    /// # Errors
    /// Any error of Systems Manager.
    pub async fn command(
        &self,
        instance: &InstanceId,
        run: &RunRef,
        hop: Version,
    ) -> Result<Option<Command>, CallError> {
        let comment = command_comment(run, hop);
        let answer = self.ssm.list_command_invocations().instance_id(instance.as_str()).send().await;
        let answer = answer.of("ListCommandInvocations")?;
        let sent = answer.command_invocations().iter().find(|sent| sent.comment() == Some(&comment));
        Ok(sent.and_then(|sent| {
            let state = match sent.status()? {
                CommandInvocationStatus::Success => CommandState::Success,
                CommandInvocationStatus::Failed
                | CommandInvocationStatus::Cancelled
                | CommandInvocationStatus::TimedOut => CommandState::Failed(sent.status_details()?.to_owned()),
                _ => CommandState::InProgress,
            };
            Some(Command { id: sent.command_id()?.parse().ok()?, state })
        }))
    }

    /// Sends the command that installs and migrates one hop. Repeating it runs the script again, which finds its own verdict.
    ///
    /// # Errors
    /// Any error of Systems Manager.
    pub async fn send_command(
        &self,
        document: &str,
        instance: &InstanceId,
        run: &RunRef,
        from: Version,
        hop: Version,
    ) -> Result<(), CallError> {
        let call = self
            .ssm
            .send_command()
            .document_name(document)
            .instance_ids(instance.as_str())
            .comment(command_comment(run, hop))
            .timeout_seconds(DELIVERY_SECONDS)
            .parameters("Version", vec![hop.to_string()])
            .parameters("From", vec![from.to_string()])
            .parameters("Run", vec![run.id.to_string()]);
        call.send().await.of("SendCommand").map(drop)
    }

    /// The output of a command: its standard error, then the first 24,000 characters of its standard output.
    ///
    /// # Errors
    /// Any error of Systems Manager.
    pub async fn command_output(&self, instance: &InstanceId, command: &CommandId) -> Result<String, CallError> {
        let call = self.ssm.get_command_invocation().command_id(command.as_str()).instance_id(instance.as_str());
        let answer = call.send().await.of("GetCommandInvocation")?;
        let (out, err) =
            (answer.standard_output_content().unwrap_or_default(), answer.standard_error_content().unwrap_or_default());
        Ok(format!("{err}\n{out}"))
    }
}
