//! Begins a run: observes everything that the run will need, refuses a run that cannot succeed, then takes the fleet's lock
//! and records the plan and the state of the fleet. Until it takes the lock, the step only reads. While a scale-out or a
//! scale-in holds the lock, the step waits.
//!
//! Undone by `finish`, which releases the lock. Repeating the step finds its own lock and record and returns the same answer.

mod request;
mod windows;

use super::observation::{health, inventory, observe};
use super::wait::{LOCK_WAIT_LIMIT, wait};
use crate::StepError;
use crate::aws::Aws;
use fleet::{
    Machine, OnFailure, Order, Phase, Refusal, Run, RunId, RunRef, Span, StateContext, Ticket, Version, Workflow, admit,
};
use request::Request;
use serde::{Deserialize, Serialize};
use windows::Later;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: RunId,
    request: Request,
    #[serde(default)]
    machine: Machine,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    run: Ticket,
    work: Work,
    hops: Vec<Version>,
    approval: bool,
    approval_seconds: u32,
    on_failure: OnFailure,
    /// Why a restore rolls back at once, in the form of an error that a state machine catches.
    failure: Option<Failure>,
    /// When to begin again, if the run waits for a window.
    later: Option<Later>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Work {
    Upgrade,
    Revert,
    Restore,
    GoldenImage,
    Nothing,
    Later,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: &'static str,
    cause: &'static str,
}

pub(crate) async fn run(aws: &Aws, Input { run, request, machine, state }: Input) -> Result<Output, StepError> {
    let run = RunRef { fleet: request.fleet.clone(), id: run };
    let record = aws.ledger().fleet(&run.fleet).await?;
    let mut fleet = record.ok_or_else(|| Refusal::UnknownFleet { fleet: run.fleet.clone() })?;

    if let Some(begun) = aws.ledger().run(&run).await? {
        return begun_before(&begun.record, machine, request.approval);
    }
    if let Some(id) = fleet.record.held_by() {
        let locked = Refusal::Locked { fleet: run.fleet.clone(), run: id.clone() };
        let holder = aws.ledger().run(&RunRef { fleet: run.fleet, id: id.clone() }).await?;
        // Scaling takes minutes, so a start waits for it. Other runs take longer.
        let scales = |holder: &Run| holder.workflow.scales() && !matches!(holder.phase, Phase::Ended(_));
        return match holder.is_some_and(|holder| scales(&holder.record)) {
            true => wait(aws, &state, LOCK_WAIT_LIMIT, locked),
            false => Err(locked.into()),
        };
    }

    let Some(order) = request.order(machine, &fleet.record)? else {
        let ticket = Ticket { fleet: run.fleet, id: run.id, fence: None };
        return Ok(output(ticket, Work::Nothing, Vec::new(), false, &fleet.record.config));
    };
    if let Some(later) = windows::check(aws, &fleet.record, &order, &request).await? {
        let ticket = Ticket { fleet: run.fleet, id: run.id, fence: None };
        let nothing = output(ticket, Work::Later, Vec::new(), false, &fleet.record.config);
        return Ok(Output { later: Some(later), ..nothing });
    }
    let image = match &order {
        Order::Revert(target) => Some(&target.image),
        Order::GoldenImage { .. } => None,
        _ => fleet.record.golden.as_ref().map(|golden| &golden.image),
    };
    let health = health(aws, &fleet.record).await?;
    let mut observed = observe(aws, &fleet.record, &health, image).await?;
    if order == Order::Restore {
        observed.inventory = Some(inventory(aws, &fleet.record, &health).await?);
    }
    let admission = admit(&fleet.record, &observed, &order)?;
    if request.plan.is_some_and(|plan| plan != admission.fingerprint) {
        return Err(Refusal::PlanIsOld { fleet: run.fleet }.into());
    }
    let (now, fence) = (aws.now(), fleet.record.next_fence());
    let mut config = fleet.record.config.clone();
    if let Order::Revert(_) = order {
        // A revert replaces members that are bad. Alarms may be raised because of them, and the kept image needs no bake.
        config.upgrade.alarms.clear();
        (config.upgrade.bake, config.upgrade.canary_bake, config.upgrade.approval) =
            (Span::seconds(0), Span::seconds(0), false);
    }
    let run = Run::begin(run, order, config, &admission, fence, now);
    fleet.record.lock(&run, now);
    aws.ledger().begin(&fleet, &run, &admission.before).await?;
    begun(&run, machine, request.approval)
}

/// The answer for a run that an earlier attempt has begun.
fn begun_before(run: &Run, machine: Machine, approval: Option<bool>) -> Result<Output, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    if let Some(execution) = &run.resumed_by {
        return Err(StepError::Refused(format!("{} continues in the execution {execution}", run.run)));
    }
    begun(run, machine, approval)
}

/// The answer for a run that has begun.
fn begun(run: &Run, machine: Machine, approval: Option<bool>) -> Result<Output, StepError> {
    let approval = approval.unwrap_or(run.config.upgrade.approval);
    let work = match run.workflow {
        Workflow::Upgrade if machine == Machine::Upgrade => Work::Upgrade,
        Workflow::Revert if machine == Machine::Upgrade => Work::Revert,
        Workflow::Restore if machine == Machine::Upgrade => Work::Restore,
        Workflow::GoldenImage if machine == Machine::GoldenImage => Work::GoldenImage,
        _ => {
            return Err(StepError::Refused(format!(
                "{} is a run of another workflow: use another execution name",
                run.run
            )));
        }
    };
    let failure = (run.workflow == Workflow::Restore)
        .then_some(Failure { error: "Repair", cause: "the fleet returns to its declared state" });
    Ok(Output { failure, ..output(run.ticket(), work, run.hops.clone(), approval, &run.config) })
}

fn output(run: Ticket, work: Work, hops: Vec<Version>, approval: bool, config: &fleet::Config) -> Output {
    let approval_seconds = config.limits.approval.as_secs();
    Output {
        run,
        work,
        hops,
        approval,
        approval_seconds,
        on_failure: config.upgrade.on_failure,
        failure: None,
        later: None,
    }
}
