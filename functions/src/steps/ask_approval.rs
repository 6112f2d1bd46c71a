//! Asks an operator for approval: records the task token with which the operator answers the waiting state machine. The
//! operator approves or aborts, or the state times out.
//!
//! Not undone: the next change of the run's phase removes the token from the ledger. Repeating the step records the token
//! of the latest attempt.

use crate::aws::Aws;
use crate::{AllowedPhase, StepError};
use fleet::{Phase, StateContext, Ticket};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    #[expect(dead_code, reason = "every step gets it; this step never waits")]
    state: StateContext,
    token: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, token, .. }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    run.record.move_to(Phase::AwaitingApproval { token })?;
    aws.ledger().write(&mut run).await?;
    Ok(Output {})
}
