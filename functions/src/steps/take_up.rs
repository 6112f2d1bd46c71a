//! Takes up a run whose execution is dead, or that is frozen: for a new execution to bring it to an end, back as long as
//! the old members stand, forward once they are being deleted. It changes the ledger alone.
//!
//! Not undone: the run ends one way or the other. Asked again, it answers the same. Should the old execution be alive
//! after all, its forward steps do nothing any more once the run turns back, and both go forward otherwise.

use crate::StepError;
use crate::aws::Aws;
use fleet::{FleetName, Phase, Refusal, RunId, RunRef, StateContext, Way};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The new execution's name.
    run: RunId,
    request: Request,
    #[expect(dead_code, reason = "every step gets it; nothing here waits")]
    state: StateContext,
}

/// What an operator starts the execution with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    fleet: FleetName,
    /// The run to take up.
    repair: RunId,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    run: RunRef,
    way: Way,
    failure: Failure,
}

/// Why the run turns back, in the shape that a state machine catches.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: &'static str,
    cause: String,
}

pub(crate) async fn run(aws: &Aws, Input { run: execution, request, .. }: Input) -> Result<Output, StepError> {
    let Request { fleet, repair } = request;
    let run = RunRef { fleet: fleet.clone(), id: repair };
    let record = aws.ledger().fleet(&fleet).await?.ok_or(Refusal::UnknownFleet { fleet })?;
    if record.record.lock.is_none_or(|lock| lock.run != run.id) {
        return Err(StepError::Refused(format!("{run} does not hold its fleet: there is nothing to repair")));
    }
    let mut found =
        aws.ledger().run(&run).await?.ok_or_else(|| StepError::Refused(format!("{run} is not in the ledger")))?;
    let way = found.record.way_on();
    if found.record.taken_up_by.as_ref() != Some(&execution) {
        match way {
            Way::Back => found.record.turn_back(aws.now())?,
            Way::Forward => found.record.move_to(Phase::Committed)?,
        }
        found.record.taken_up_by = Some(execution.clone());
        aws.ledger().write(&mut found).await?;
    }
    let was = found.record.failure.map(|failure| format!(", after {failure}")).unwrap_or_default();
    let cause = format!("taken up by {execution}{was}");
    Ok(Output { run, way, failure: Failure { error: "TakenUp", cause } })
}
