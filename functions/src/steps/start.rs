//! Starts the source member again. Ends when EC2 answers that the member is running.
//!
//! The answer of `StartInstances` decides, because `DescribeInstances` may still return the state before the stop. On the
//! rollback path, this step records that the run rolls back, and it ends only when no function can still stop the member.
//! Undone by `image-member`. Repeating the step changes nothing.

use super::members::Members;
use super::wait::{FUNCTION_TIMEOUT, wait};
use crate::aws::{Aws, InstanceState};
use crate::{AllowedPhase, StepError};
use fleet::{Run, RunPath, StateContext, Ticket};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    /// Definitions of earlier releases say `way`.
    #[serde(alias = "way")]
    path: RunPath,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, path }: Input) -> Result<Output, StepError> {
    let run = match path {
        RunPath::Forward => aws.ledger().hold(&run, AllowedPhase::Forward).await?.record,
        RunPath::Rollback => aws.ledger().hold_for_rollback(&run, aws.now()).await?.record,
    };
    let found = Members::Source.find(aws, &run).await?;
    let [member] = &found[..] else {
        return Err(StepError::Failed(format!("the source member of {} is gone", run.run)));
    };
    let limit = run.config.limits.stop + run.config.limits.launch;
    let what = match aws.start(&member.id).await {
        Ok(InstanceState::Running) => match may_be_stopped_until(&run, path) {
            Some(until) if aws.now() < until => {
                format!("{} is running, and may be stopped again until {until:.0}", member.id)
            }
            _ => return Ok(Output {}),
        },
        Ok(InstanceState::Stopped) if state.retry_count > 0 => format!(
            "{} is stopped after an earlier attempt started it: if it stops by itself, its state reason in EC2 says why, such \
             as disks encrypted with a key on which this function has no kms:CreateGrant",
            member.id
        ),
        Ok(_) => format!("{} is starting", member.id),
        // The member is still stopping, or EC2 has no capacity for it right now.
        Err(error) if error.is_wrong_state() || error.is_no_capacity() || error.is_quota() => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    wait(aws, &state, limit, what)
}

/// The time until which a function that read the run before its rollback may stop the member.
fn may_be_stopped_until(run: &Run, path: RunPath) -> Option<Timestamp> {
    let rolled_back = run.rolled_back.filter(|_| path == RunPath::Rollback && run.stop_asked.is_some());
    rolled_back.and_then(|rolled_back| rolled_back.saturating_add(FUNCTION_TIMEOUT).ok())
}
