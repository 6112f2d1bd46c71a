//! Decides the size of the fleet and begins the run that changes it: a scale-out or a scale-in. It records every decision
//! with its inputs.
//!
//! An alarm, an operator or a schedule invokes it. A scale-out joins an upgrade that holds the lock, as long as the upgrade
//! can be joined. Otherwise the step waits for the lock, and decides on the fleet as it is then.
//!
//! Undone by the rollback of the run. Repeating the step finds the run and returns the same answer.

mod reading;

use self::reading::read;
use super::joined::joined;
use super::observation::{health, observe};
use super::wait::{LOCK_WAIT_LIMIT, wait};
use crate::aws::Aws;
use crate::{StepError, Versioned};
use fleet::{
    Action, Direction, FleetRecord, Order, Outcome, Phase, Refusal, Run, RunId, RunRef, ScaleRequest, SizeOrder, Span,
    StateContext, StayingMembers, Ticket, admit, alarm_name, decide, leaving,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The execution's name.
    run: RunId,
    request: serde_json::Value,
    direction: Direction,
    /// The number of earlier polls of this execution. Definitions of earlier releases say `look`.
    #[serde(alias = "look")]
    poll: u32,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    /// Whether a run has begun.
    begun: bool,
    run: Option<Ticket>,
    /// The decision and its reason, for people.
    decision: String,
    /// Whether to poll again afterwards: the alarm is still raised.
    again: bool,
    /// The pause before the next poll if the size stays.
    seconds: u32,
}

/// The shortest pause between two polls: the CPU has one point a minute at best.
const SHORT_PAUSE: Span = Span::minutes(1);
/// The number of polls after which the pause is longer, so that the state machine's 300 polls last a day.
const POLLS_WITH_SHORT_PAUSE: u32 = 30;
const LONG_PAUSE: Span = Span::minutes(5);

/// Whether a run may begin.
enum Lock {
    /// No run holds the lock.
    Free,
    /// The run that holds the lock can be joined.
    Join(Box<Versioned<Run>>),
    /// This run has to end first.
    Wait(RunId),
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let Input { run: execution, request, direction, poll, state } = input;
    let ScaleRequest { fleet, order } =
        ScaleRequest::read(request, direction).map_err(|error| StepError::Refused(error.to_string()))?;
    let id = if poll == 0 { execution.clone() } else { numbered(&execution, poll)? };
    let run = RunRef { fleet, id };
    let found = aws.ledger().fleet(&run.fleet).await?;
    let fleet = found.ok_or_else(|| Refusal::UnknownFleet { fleet: run.fleet.clone() })?;
    let seconds = pause(&fleet.record, direction, poll).as_secs();
    let again = order.is_none() && aws.is_raised(&alarm_name(&run.fleet, direction.into())).await?;

    if let Some(begun) = aws.ledger().run(&run).await? {
        let decision = format!("{run} has begun");
        return Ok(Output { begun: true, run: Some(begun_before(&begun.record)?), decision, again, seconds });
    }
    let new = NewRun { run, execution, direction, order, state };
    match new.decide(aws, fleet).await {
        Ok(Decided::Begun { ticket, decision }) => {
            Ok(Output { begun: true, run: Some(ticket), decision, again, seconds })
        }
        Ok(Decided::Stays { decision, for_good }) => {
            Ok(Output { begun: false, run: None, decision, again: again && !for_good, seconds })
        }
        // While the alarm is raised, the execution polls again: the reason for the refusal may go away.
        Err(StepError::Refused(why)) if order.is_none() => {
            Ok(Output { begun: false, run: None, decision: format!("refused: {why}"), again, seconds })
        }
        Err(error) => Err(error),
    }
}

/// A run that may begin.
struct NewRun {
    run: RunRef,
    execution: RunId,
    direction: Direction,
    order: Option<SizeOrder>,
    state: StateContext,
}

/// What was decided.
enum Decided {
    Begun {
        ticket: Ticket,
        decision: String,
    },
    /// The size stays.
    Stays {
        decision: String,
        /// Whether another poll is useless.
        for_good: bool,
    },
}

impl NewRun {
    async fn decide(self, aws: &Aws, mut fleet: Versioned<FleetRecord>) -> Result<Decided, StepError> {
        let Self { run, execution, direction, order: requested, state } = self;
        let mut joined = match lock(aws, &fleet.record, direction).await? {
            Lock::Free => None,
            Lock::Join(holder) => Some(holder),
            Lock::Wait(holder) => {
                let what = format!("run {holder} holds fleet {}", run.fleet);
                if requested.is_none() {
                    return Ok(Decided::Stays { decision: format!("waits: {what}"), for_good: false });
                }
                return match wait(aws, &state, LOCK_WAIT_LIMIT, what) {
                    Err(StepError::Failed(_)) => Err(Refusal::Locked { fleet: run.fleet, run: holder }.into()),
                    waiting => waiting,
                };
            }
        };

        let golden = match direction {
            Direction::Out => Some(&fleet.record.to_be_cloned()?.image),
            Direction::In => fleet.record.golden.as_ref().map(|golden| &golden.image),
        };
        let health = health(aws, &fleet.record).await?;
        let observed = observe(aws, &fleet.record, &health, golden).await?;
        let holder = joined.as_ref().map(|holder| &holder.record);
        let reading = read(aws, &fleet.record, &observed, holder, requested).await?;
        let decision = decide(&reading, &fleet.record.config, aws.now());
        aws.ledger().record_decision(&run, &decision).await?;
        let order = match (direction, &decision.action) {
            (Direction::Out, Action::Out { to, .. }) => Order::ScaleOut(to.saturating_sub(decision.inputs.size)),
            (Direction::In, Action::In { to, .. }) => {
                let k = decision.inputs.size.saturating_sub(*to);
                let leaving = leaving(&reading.members, golden, k);
                Order::ScaleIn(leaving.into_iter().map(|one| one.member.id.clone()).collect())
            }
            (_, Action::Refused { reason }) => return Err(StepError::Refused(reason.to_string())),
            (direction, Action::Out { .. } | Action::In { .. }) if requested.is_some() => {
                return Err(StepError::Refused(format!(
                    "{decision}: this is not a {direction}, which the execution is for"
                )));
            }
            (Direction::In, _) => {
                return Ok(Decided::Stays { decision: decision.to_string(), for_good: decision.is_at_min() });
            }
            (Direction::Out, _) => return Ok(Decided::Stays { decision: decision.to_string(), for_good: false }),
        };

        let admission = admit(&fleet.record, &observed, &order)?;
        if let (Some(holder), Order::ScaleOut(more)) = (&joined, &order) {
            check_targets_of_both(aws, &holder.record, admission.before.members.len(), *more).await?;
        }
        let (now, fence, config) = (aws.now(), fleet.record.next_fence(), fleet.record.config.clone());
        let mut begun = Run::begin(run, order.clone(), config, &admission, fence, now);
        begun.in_execution = (begun.run.id != execution).then_some(execution);
        match (&order, &mut joined) {
            (Order::ScaleIn(leaving), _) => {
                let members = reading.members.iter();
                let stay = members.filter(|one| one.in_service.is_some() && !leaving.contains(&one.member.id));
                let staying = StayingMembers { ids: stay.map(|one| one.member.id.clone()).collect() };
                if staying.ids.is_empty() {
                    let why = "no staying member is in service, so no member leaves";
                    return Err(StepError::Refused(why.to_owned()));
                }
                fleet.record.lock(&begun, now);
                aws.ledger().begin_scale_in(&fleet, &begun, &admission.before, &staying).await?;
            }
            (_, Some(holder)) => {
                begun.joins = Some(holder.record.run.id.clone());
                holder.record.join(&begun.run.id);
                fleet.record.fence = fence;
                fleet.record.joining = Some(begun.run.id.clone());
                aws.ledger().begin_joining(&fleet, holder, &begun, &admission.before).await?;
            }
            (_, None) => {
                fleet.record.lock(&begun, now);
                aws.ledger().begin(&fleet, &begun, &admission.before).await?;
            }
        }
        Ok(Decided::Begun { ticket: begun.ticket(), decision: decision.to_string() })
    }
}

/// Checks that the target group has room for both runs: the upgrade creates as many members as joined it, beside those.
async fn check_targets_of_both(aws: &Aws, holder: &Run, there: usize, more: u32) -> Result<(), StepError> {
    let quota = holder.config.load_balancer.target_quota;
    let there = u32::try_from(there).unwrap_or(u32::MAX);
    let new = holder.size.saturating_add(joined(aws, holder).await?.members).saturating_add(more);
    let members = there.saturating_add(more).saturating_add(new);
    if members > quota { Err(Refusal::TargetsToScale { members, quota }.into()) } else { Ok(()) }
}

/// The id of the run of a poll that is not the execution's first.
fn numbered(execution: &RunId, poll: u32) -> Result<RunId, StepError> {
    let id = format!("{execution}-{poll}");
    id.parse().map_err(|error| StepError::Refused(format!("the execution's name is too long to be numbered: {error}")))
}

/// The ticket of a run that an earlier attempt has begun.
fn begun_before(run: &Run) -> Result<Ticket, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    if !run.workflow.scales() {
        return Err(StepError::Refused(format!(
            "{} is a run of another workflow: use another execution name",
            run.run
        )));
    }
    match &run.resumed_by {
        Some(execution) => Err(StepError::Refused(format!("{} continues in the execution {execution}", run.run))),
        None => Ok(run.ticket()),
    }
}

/// The pause before the next poll of a fleet whose size stays. Later polls are less frequent.
fn pause(fleet: &FleetRecord, direction: Direction, poll: u32) -> Span {
    let of_direction = fleet.config.scaling.map(|scaling| match direction {
        Direction::Out => scaling.warm_up,
        Direction::In => scaling.cooldown_in,
    });
    let least = if poll < POLLS_WITH_SHORT_PAUSE { SHORT_PAUSE } else { LONG_PAUSE };
    of_direction.unwrap_or(least).max(least)
}

/// The state of the fleet's lock. A frozen run keeps the lock until an operator repairs it.
async fn lock(aws: &Aws, fleet: &FleetRecord, direction: Direction) -> Result<Lock, StepError> {
    let Some(id) = fleet.joining.as_ref().or(fleet.lock.as_ref().map(|lock| &lock.run)) else { return Ok(Lock::Free) };
    let held_by = RunRef { fleet: fleet.name().clone(), id: id.clone() };
    let Some(holder) = aws.ledger().run(&held_by).await? else { return Ok(Lock::Wait(held_by.id)) };
    if holder.record.phase == Phase::Ended(Outcome::Frozen) {
        return Err(Refusal::Locked { fleet: held_by.fleet, run: held_by.id }.into());
    }
    // One scale-out joins at a time.
    if direction == Direction::Out && fleet.joining.is_none() && holder.record.may_be_joined() {
        return Ok(Lock::Join(Box::new(holder)));
    }
    Ok(Lock::Wait(held_by.id))
}
