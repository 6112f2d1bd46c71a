//! Starts the member again that an image was taken of. Ends when EC2 says that it runs.
//!
//! What EC2 answers decides, not what it describes: that may still be of the time before it was stopped. Undone by
//! `image-member`. On the way back it is what turns the run back, and it ends only when a function that was to stop the member
//! can no longer be under way.

use super::members::Members;
use super::wait::{UNDER_WAY, wait};
use crate::aws::{Aws, InstanceState};
use crate::{Going, StepError};
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
        RunPath::Forward => aws.ledger().hold(&run, Going::Forward).await?.record,
        RunPath::Rollback => aws.ledger().hold_back(&run, aws.now()).await?.record,
    };
    let found = Members::Source.find(aws, &run).await?;
    let [member] = &found[..] else {
        return Err(StepError::Failed(format!("the member that {} has stopped is gone", run.run)));
    };
    let limit = run.config.limits.stop + run.config.limits.launch;
    let what = match aws.start(&member.id).await {
        Ok(InstanceState::Running) => match may_be_stopped_until(&run, path) {
            Some(until) if aws.now() < until => {
                format!("{} runs, and may be stopped again until {until:.0}", member.id)
            }
            _ => return Ok(Output {}),
        },
        Ok(InstanceState::Stopped) if state.retry_count > 0 => format!(
            "{} was still stopped, or again: if it stops by itself, EC2's state reason says why, such as disks encrypted with \
             a key on which this function has no kms:CreateGrant",
            member.id
        ),
        Ok(_) => format!("{} is starting", member.id),
        // It is being stopped; or there is no room for it just now.
        Err(error) if error.is_wrong_state() || error.is_no_capacity() || error.is_quota() => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    wait(aws, &state, limit, what)
}

/// Until when the member may be stopped by a function that does not know that the run has turned back.
fn may_be_stopped_until(run: &Run, path: RunPath) -> Option<Timestamp> {
    let rolled_back = run.rolled_back.filter(|_| path == RunPath::Rollback && run.stop_asked.is_some());
    rolled_back.and_then(|rolled_back| rolled_back.saturating_add(UNDER_WAY).ok())
}
