//! Stops the member that a golden image is taken of, once it has drained, and asks for the image of it at rest (by hand: turn
//! the server off, snapshot it). Ends when EC2 has taken that on; `snapshot` waits for the image.
//!
//! Undone by `start` and `delete`.

use super::members::{Members, first_in_traffic};
use super::snapshot::{ask, seen};
use super::wait::wait;
use crate::aws::{Aws, InstanceState};
use crate::{Going, StepError};
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
    let mut run = aws.ledger().hold(&run, Going::Forward).await?;
    if run.record.image.is_some() {
        return Ok(Output {});
    }
    let limit = run.record.drain + run.record.config.limits.stop;
    let found = Members::Source.find(aws, &run.record).await?;
    let [member] = &found[..] else {
        return Err(StepError::Failed(format!("the member that the image of {} is taken of is gone", run.record.run)));
    };
    if let Some(in_traffic) = first_in_traffic(aws, &run.record, &found).await? {
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
            if seen(aws, &mut run).await?.is_none() {
                ask(aws, &mut run, &member.id).await?;
            }
            if run.record.image.is_some() {
                return Ok(Output {});
            }
        }
        InstanceState::Pending | InstanceState::Stopping | InstanceState::Gone => {}
    }
    wait(aws, &state, limit, format!("{} is being stopped for its image", member.id))
}
