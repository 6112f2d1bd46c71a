//! Begins a run: looks at everything it will need, refuses what cannot go well, then takes the fleet's lock and
//! records the plan and what was before. Up to the lock it only reads; while a run scales the fleet it waits for its turn.
//!
//! Undone by `finish`, which releases the lock. Asked again, it finds its own lock and record and answers the same.

mod request;

use super::observation::{health, inventory, look};
use super::wait::{PATIENCE, wait};
use crate::StepError;
use crate::aws::Aws;
use fleet::{
    Machine, OnFailure, Order, Phase, Refusal, Run, RunId, RunRef, Span, StateContext, Ticket, Version, Workflow,
    admit, check_window, check_window_of_image,
};
use jiff::Timestamp;
use request::Request;
use serde::{Deserialize, Serialize};

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
    /// Why it goes back at once, in the shape that a state machine catches.
    failure: Option<Failure>,
    /// When to ask again, what for, and why not now.
    later: Option<Later>,
}

#[derive(Debug, Serialize)]
struct Later {
    at: Timestamp,
    request: Request,
    why: String,
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
        // That takes minutes.
        let scales = |holder: &Run| holder.workflow.scales() && !matches!(holder.phase, Phase::Ended(_));
        return match holder.is_some_and(|holder| scales(&holder.record)) {
            true => wait(aws, &state, PATIENCE, locked),
            false => Err(locked.into()),
        };
    }

    let Some(order) = request.order(machine, &fleet.record)? else {
        let ticket = Ticket { fleet: run.fleet, id: run.id, fence: None };
        return Ok(output(ticket, Work::Nothing, Vec::new(), false, &fleet.record.config));
    };
    if let Order::Upgrade(hops) = &order
        && !fleet.record.config.upgrade.windows.is_empty()
    {
        let past = aws.ledger().runs(&run.fleet).await?;
        let rehearsed: Vec<_> = request.takes_seconds.map(Span::seconds).into_iter().collect();
        match check_window(&fleet.record.config, hops.len(), &past, &rehearsed, aws.now()) {
            Err(Refusal::Window(closed)) if request.waits == Some(true) && closed.next().is_some() => {
                let ticket = Ticket { fleet: run.fleet, id: run.id, fence: None };
                let nothing = output(ticket, Work::Later, Vec::new(), false, &fleet.record.config);
                let why = Refusal::Window(closed).to_string();
                let later = closed.next().map(|at| Later { at, request, why });
                return Ok(Output { later, ..nothing });
            }
            checked => checked?,
        }
    }
    if let Order::GoldenImage { .. } = &order
        && !fleet.record.config.upgrade.windows.is_empty()
    {
        check_window_of_image(&fleet.record.config, &aws.ledger().runs(&run.fleet).await?, aws.now())?;
    }
    if let (Some(true), Some(to)) = (request.window, request.to) {
        check_not_rolled_back(&aws.ledger().runs(&run.fleet).await?, to)?;
    }
    let image = match &order {
        Order::Revert(target) => Some(&target.image),
        Order::GoldenImage { .. } => None,
        _ => fleet.record.golden.as_ref().map(|golden| &golden.image),
    };
    let health = health(aws, &fleet.record).await?;
    let mut observed = look(aws, &fleet.record, &health, image).await?;
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
        // Who goes back does so from what is bad: there is nothing to bake, and what rings rings for that.
        config.upgrade.alarms.clear();
        (config.upgrade.bake, config.upgrade.canary_bake, config.upgrade.approval) =
            (Span::seconds(0), Span::seconds(0), false);
    }
    let run = Run::begin(run, order, config, &admission, fence, now);
    fleet.record.lock(&run, now);
    aws.ledger().begin(&fleet, &run, &admission.before).await?;
    begun(&run, machine, request.approval)
}

/// Windows do not try again what was rolled back once: its migration has run, and somebody should look.
fn check_not_rolled_back(past: &[Run], to: Version) -> Result<(), StepError> {
    let failed = |run: &&Run| {
        run.workflow == Workflow::Upgrade && run.to == to && run.phase == Phase::Ended(fleet::Outcome::RolledBack)
    };
    match past.iter().find(failed) {
        None => Ok(()),
        Some(run) => Err(StepError::Refused(format!(
            "upgrade.wanted: {} to {to} was rolled back, so no window tries it again: see why, and start it with \
             'fleetwright upgrade', or want another version",
            run.run
        ))),
    }
}

fn begun_before(run: &Run, machine: Machine, approval: Option<bool>) -> Result<Output, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    if let Some(execution) = &run.resumed_by {
        return Err(StepError::Refused(format!("{} goes on in the execution {execution}", run.run)));
    }
    begun(run, machine, approval)
}

fn begun(run: &Run, machine: Machine, approval: Option<bool>) -> Result<Output, StepError> {
    let approval = approval.unwrap_or(run.config.upgrade.approval);
    let work = match run.workflow {
        Workflow::Upgrade if machine == Machine::Upgrade => Work::Upgrade,
        Workflow::Revert if machine == Machine::Upgrade => Work::Revert,
        Workflow::Restore if machine == Machine::Upgrade => Work::Restore,
        Workflow::GoldenImage if machine == Machine::GoldenImage => Work::GoldenImage,
        _ => return Err(StepError::Refused(format!("{} is for something else: use another name", run.run))),
    };
    let failure = (run.workflow == Workflow::Restore)
        .then_some(Failure { error: "Repair", cause: "the members that were found are restored" });
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
