//! Stops the builder (by hand: step 6), so that its image is of a machine at rest. Ends when the builder is stopped.
//!
//! Not undone: the builder is deleted. Repeating the step changes nothing.

use super::members::require_builder;
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
    let run = aws.ledger().hold(&run, AllowedPhase::Forward).await?.record;
    let builder = require_builder(aws, &run).await?;
    match builder.state {
        InstanceState::Stopped => return Ok(Output {}),
        InstanceState::Running => aws.stop(&builder.id).await?,
        InstanceState::Pending | InstanceState::Stopping | InstanceState::Gone => {}
    }
    wait(aws, &state, run.config.limits.stop, format!("builder {} is stopping", builder.id))
}
