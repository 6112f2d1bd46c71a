//! Stops the source member once it has drained, and requests the golden image of the stopped member (by hand: stop the
//! server, snapshot it). Ends when EC2 has accepted the request; `snapshot` waits for the image.
//!
//! Undone by `start` and `delete`. Repeating the step makes no second image.

use super::members::{Members, still_in_traffic};
use super::snapshot::{find_image, request_image};
use super::wait::wait;
use crate::aws::{Aws, InstanceState};
use crate::{AllowedPhase, StepError};
use fleet::{StateContext, Ticket};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    if run.record.image.is_some() {
        return Ok(Output {});
    }
    let limit = run.record.drain + run.record.config.limits.stop;
    let found = Members::Source.find(aws, &run.record).await?;
    let [member] = &found[..] else {
        return Err(StepError::Failed(format!("the source member of {} is gone", run.record.run)));
    };
    if let Some(in_traffic) = still_in_traffic(aws, &run.record, &found).await? {
        return wait(aws, &state, limit, in_traffic);
    }
    match member.state {
        InstanceState::Running => {
            if run.record.stop_asked.is_none() {
                run.record.stop_asked = Some(aws.now());
                aws.ledger().write(&mut run).await?;
            }
            aws.stop(&member.id).await?;
        }
        InstanceState::Stopped => {
            if find_image(aws, &mut run).await?.is_none() {
                request_image(aws, &mut run, &member.id).await?;
            }
            if run.record.image.is_some() {
                return Ok(Output {});
            }
        }
        InstanceState::Pending | InstanceState::Stopping | InstanceState::Gone => {}
    }
    wait(aws, &state, limit, format!("source member {} is being stopped", member.id))
}
