//! Resumes a run that is frozen or whose execution is dead, so that a new execution can bring it to its end. A run that has
//! committed continues forward; any other run rolls back. The step changes only the ledger.
//!
//! The run gets a higher fencing number. If the old execution is alive after all, its steps do nothing from then on. The
//! step ends only when no function that read the lower number can still be running.
//!
//! Not undone: the run ends on one path or the other. Repeating the step returns the same answer.

use super::wait::FUNCTION_TIMEOUT;
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
    /// The new execution's state machine. Definitions of earlier releases do not name it.
    machine: Option<Machine>,
    #[expect(dead_code, reason = "every step gets it; this step never waits")]
    state: StateContext,
}

/// The input with which an operator starts the execution.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    fleet: FleetName,
    /// The run to resume.
    repair: RunId,
    /// The execution that is known to be dead. Not needed if the run is frozen or its lease has ended.
    dead: Option<Dead>,
}

/// An execution that is known to be dead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dead {
    execution: RunId,
    /// How it is known, as the predicate of a sentence, such as `is dead`.
    how: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    run: Ticket,
    path: RunPath,
    /// `restore` for a restore, whose goal is its rollback path.
    work: Option<&'static str>,
    failure: Failure,
}

/// Why the run rolls back, in the form of an error that a state machine catches.
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
    let required = found.record.workflow.machine();
    if machine.is_some_and(|machine| machine != required) {
        return Err(StepError::Refused(format!(
            "{run} is a run of the state machine {0}: start an execution of {0}",
            required.name()
        )));
    }
    let lease = lease(&fleet.record, &found.record)?;
    let path = found.record.resume_path();
    if found.record.resumed_by.as_ref() != Some(&execution) {
        let now = aws.now();
        check_dead(&found.record, lease, dead.as_ref(), now)?;
        match path {
            RunPath::Rollback => found.record.roll_back(now)?,
            RunPath::Forward => found.record.move_to(Phase::Committed)?,
        }
        found.record.resumed_by = Some(execution.clone());
        found.record.resumed = Some(now);
        found.record.fence = fleet.record.next_fence();
        if found.record.joins.is_some() {
            // The run that it joined holds the lock.
            fleet.record.fence = found.record.fence;
        } else {
            fleet.record.lock(&found.record, now);
        }
        aws.ledger().write_both(&found, &fleet).await?;
    }
    let fenced = found.record.resumed.and_then(|resumed| resumed.saturating_add(FUNCTION_TIMEOUT).ok());
    if let Some(fenced) = fenced.filter(|fenced| aws.now() < *fenced) {
        let what = format!("a function of the earlier execution may be running until {fenced:.0}");
        return Err(StepError::NotYet(what));
    }
    let known = dead.map(|Dead { execution, how }| format!(" ({execution} {how})")).unwrap_or_default();
    let was = found.record.failure.as_ref().map(|failure| format!(", after {failure}")).unwrap_or_default();
    let cause = format!("resumed by {execution}{known}{was}");
    let work = (found.record.workflow == Workflow::Restore).then_some("restore");
    Ok(Output { run: found.record.ticket(), path, work, failure: Failure { error: "Resumed", cause } })
}

/// The time until which an execution may be running the run, if it is known. A run that joined another holds no lock, so
/// its own limits tell.
fn lease(fleet: &FleetRecord, run: &Run) -> Result<Option<Timestamp>, StepError> {
    match fleet.lock.as_ref().filter(|lock| lock.run == run.run.id) {
        Some(lock) => Ok(lock.lease),
        None if run.joins.is_some() && !run.is_over() => Ok(Some(run.lease_end(run.resumed.unwrap_or(run.started)))),
        None => Err(StepError::Refused(format!(
            "{} does not hold the lock of its fleet: there is nothing to repair",
            run.run
        ))),
    }
}

/// Checks that no execution can be running the run: it is frozen, its lease has ended, or its execution is known to be dead.
fn check_dead(run: &Run, lease: Option<Timestamp>, dead: Option<&Dead>, now: Timestamp) -> Result<(), StepError> {
    if run.phase == Phase::Ended(Outcome::Frozen) || lease.is_some_and(|lease| lease <= now) {
        return Ok(());
    }
    match dead {
        Some(dead) if dead.execution == *run.execution() => return Ok(()),
        Some(dead) => {
            return Err(StepError::Refused(format!(
                "{} continues in the execution {}, not in {}: check that execution",
                run.run,
                run.execution(),
                dead.execution
            )));
        }
        None => {}
    }
    let until = lease.map(|lease| format!(" until {lease:.0}")).unwrap_or_default();
    Err(StepError::Refused(format!(
        "{} may be running in the execution {}{until}: use 'fleetwright repair', which checks whether it is dead and says so \
         with \"dead\"",
        run.run,
        run.execution()
    )))
}
