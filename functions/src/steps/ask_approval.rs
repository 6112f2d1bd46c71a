//! Asks a person: records the token with which the waiting state machine is answered. The answer is `approve` or
//! `abort`, or the state's time-out.
//!
//! Not undone: the run's next move takes the token out of the ledger.

use crate::aws::Aws;
use crate::{Going, StepError};
use fleet::{Phase, StateContext, Ticket};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    #[expect(dead_code, reason = "every step gets it; nothing here waits")]
    state: StateContext,
    token: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, token, .. }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, Going::Forward).await?;
    run.record.move_to(Phase::AwaitingApproval { token })?;
    aws.ledger().write(&mut run).await?;
    Ok(Output {})
}
