//! Stops the builder (by hand: step 6), so that its image is of a machine at rest; or, of a fleet that has no golden image,
//! the member that one is taken of, once that has drained. Ends when it is stopped.
//!
//! Undone by `start`; a builder is deleted.

use super::crew::{first_in_traffic, original};
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
    let run = aws.ledger().hold(&run, Going::Forward).await?.record;
    let original = original(aws, &run).await?;
    let mut limit = run.config.limits.stop;
    if run.source.is_some() {
        limit = limit + run.drain;
        if let Some(in_traffic) = first_in_traffic(aws, &run, std::slice::from_ref(&original)).await? {
            return wait(aws, &state, limit, in_traffic);
        }
    }
    match original.state {
        InstanceState::Stopped => return Ok(Output {}),
        InstanceState::Running => aws.stop(&original.id).await?,
        InstanceState::Pending | InstanceState::Stopping | InstanceState::Gone => {}
    }
    wait(aws, &state, limit, format!("{} is stopping", original.id))
}
