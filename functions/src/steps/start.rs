//! Starts the member again that an image was taken of. Ends when EC2 says that it runs.
//!
//! What EC2 answers decides, not what it describes: that may still be of the time before it was stopped. Undone by `image-member`.
//! On the way back it is what turns the run back.

use super::wait::wait;
use crate::aws::Aws;
use crate::{Going, StepError};
use fleet::{StateContext, Ticket, Way};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    way: Way,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, way }: Input) -> Result<Output, StepError> {
    let run = match way {
        Way::Forward => aws.ledger().hold(&run, Going::Forward).await?.record,
        Way::Back => aws.ledger().hold_back(&run, aws.now()).await?.record,
    };
    let source = run.source.as_ref().ok_or_else(|| StepError::Refused(format!("{} stops no member", run.run)))?;
    let limit = run.config.limits.stop + run.config.limits.launch;
    match aws.start(&source.id).await {
        Ok(true) => Ok(Output {}),
        Ok(false) => wait(aws, &state, limit, format!("{} is starting", source.id)),
        // It is being stopped; or its zone has no room for it just now.
        Err(error) if error.is_wrong_state() || error.is_no_capacity() => wait(aws, &state, limit, error),
        Err(error) => Err(error.into()),
    }
}
