//! Takes up a run whose execution is dead, or that is frozen: for a new execution to bring it to an end, back as long as
//! the old members stand, forward once they are being deleted. It changes the ledger alone.
//!
//! Not undone: the run ends one way or the other. Asked again, it answers the same. The run gets a higher fencing number,
//! so should the old execution be alive after all, its steps do nothing any more; and it ends only when a function that
//! looked at the number before can no longer be under way.

use super::wait::UNDER_WAY;
use crate::StepError;
use crate::aws::Aws;
use fleet::{
    FleetName, FleetRecord, Machine, Outcome, Phase, Refusal, Run, RunId, RunPath, RunRef, StateContext, Ticket,
    Workflow,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The new execution's name.
    run: RunId,
    request: Request,
    /// The state machine that it is an execution of; those of earlier releases do not say.
    machine: Option<Machine>,
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
    /// The execution that is known to be dead; not needed of a frozen run, nor after its lease.
    dead: Option<Dead>,
}

/// What is known of an execution.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dead {
    execution: RunId,
    /// How it is known.
    how: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    run: Ticket,
    path: RunPath,
    /// For a repair, going back is what it was begun for.
    work: Option<&'static str>,
    failure: Failure,
}

/// Why the run turns back, in the shape that a state machine catches.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: &'static str,
    cause: String,
}

pub(crate) async fn run(aws: &Aws, Input { run: execution, request, machine, .. }: Input) -> Result<Output, StepError> {
    let Request { fleet, repair, dead } = request;
    let run = RunRef { fleet: fleet.clone(), id: repair };
    let mut fleet = aws.ledger().fleet(&fleet).await?.ok_or(Refusal::UnknownFleet { fleet })?;
    let mut found =
        aws.ledger().run(&run).await?.ok_or_else(|| StepError::Refused(format!("{run} is not in the ledger")))?;
    let right = found.record.workflow.machine();
    if machine.is_some_and(|machine| machine != right) {
        return Err(StepError::Refused(format!("{run} is a run of {}: start an execution of that", right.name())));
    }
    let lease = lease(&fleet.record, &found.record)?;
    let path = found.record.resume_path();
    if found.record.resumed_by.as_ref() != Some(&execution) {
        let now = aws.now();
        check_dead(&found.record, lease, dead.as_ref(), now)?;
        match path {
            RunPath::Back => found.record.roll_back(now)?,
            RunPath::Forward => found.record.move_to(Phase::Committed)?,
        }
        found.record.resumed_by = Some(execution.clone());
        found.record.resumed = Some(now);
        found.record.fence = fleet.record.next_fence();
        if found.record.joins.is_some() {
            // Somebody else holds the fleet.
            fleet.record.fence = found.record.fence;
        } else {
            fleet.record.lock(&found.record, now);
        }
        aws.ledger().write_both(&found, &fleet).await?;
    }
    let alone = found.record.resumed.and_then(|resumed| resumed.saturating_add(UNDER_WAY).ok());
    if let Some(alone) = alone.filter(|alone| aws.now() < *alone) {
        let what = format!("a function of the execution before may be under way until {alone:.0}");
        return Err(StepError::NotYet(what));
    }
    let known = dead.map(|Dead { execution, how }| format!(" ({execution} {how})")).unwrap_or_default();
    let was = found.record.failure.as_ref().map(|failure| format!(", after {failure}")).unwrap_or_default();
    let cause = format!("taken up by {execution}{known}{was}");
    let work = (found.record.workflow == Workflow::Restore).then_some("restore");
    Ok(Output { run: found.record.ticket(), path, work, failure: Failure { error: "Resumed", cause } })
}

/// Until when the run may be going on, if that is known; one that joined another holds no lock, and is over by its limits.
fn lease(fleet: &FleetRecord, run: &Run) -> Result<Option<Timestamp>, StepError> {
    match fleet.lock.as_ref().filter(|lock| lock.run == run.run.id) {
        Some(lock) => Ok(lock.lease),
        None if run.joins.is_some() && !run.is_over() => Ok(Some(run.lease_end(run.resumed.unwrap_or(run.started)))),
        None => Err(StepError::Refused(format!("{} does not hold its fleet: there is nothing to repair", run.run))),
    }
}

/// Whether nobody can be going on with the run: it is frozen, its lease is over, or the execution that it goes on in is
/// known to be dead.
fn check_dead(run: &Run, lease: Option<Timestamp>, dead: Option<&Dead>, now: Timestamp) -> Result<(), StepError> {
    if run.phase == Phase::Ended(Outcome::Frozen) || lease.is_some_and(|lease| lease <= now) {
        return Ok(());
    }
    match dead {
        Some(dead) if dead.execution == *run.execution() => return Ok(()),
        Some(dead) => {
            return Err(StepError::Refused(format!(
                "{} goes on in the execution {}, not in {}: look at it again",
                run.run,
                run.execution(),
                dead.execution
            )));
        }
        None => {}
    }
    let until = lease.map(|lease| format!(" until {lease:.0}")).unwrap_or_default();
    Err(StepError::Refused(format!(
        "{} may be going on in the execution {}{until}: start 'fleetwright repair', which looks whether it is dead and \
         says so with \"dead\"",
        run.run,
        run.execution()
    )))
}
