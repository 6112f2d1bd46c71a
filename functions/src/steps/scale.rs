//! Decides how large the fleet is to be and begins the run that makes it so: a scale-out or a scale-in. Every decision is
//! recorded, with what it was made from.
//!
//! An alarm, a person or a schedule asks. A scale-out joins an upgrade that holds the fleet, as long as that may be joined;
//! whatever else would change the fleet waits for its turn, and is decided on what is there then.
//! Undone by the run's own way back. Asked again, it finds its run and answers the same.

use super::joined::joined;
use super::observation::{health, look};
use super::reading::read;
use super::wait::{PATIENCE, wait};
use crate::StepError;
use crate::aws::Aws;
use crate::ledger::Read;
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
    /// How often the execution has looked before.
    #[serde(alias = "look")]
    poll: u32,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    /// Whether a run has begun.
    begun: bool,
    run: Option<Ticket>,
    /// For people: what was decided, and why.
    decision: String,
    /// Whether to look again afterwards: the alarm rings on.
    again: bool,
    /// After how long, if nothing was to be done.
    seconds: u32,
}

/// Between two looks it is at least so long: the CPU has one point a minute at best.
const SHORTEST_PAUSE: Span = Span::minutes(1);
/// After so many looks it is longer, so that the state machine's 300 last a day.
const OFTEN: u32 = 30;
const LONGER_PAUSE: Span = Span::minutes(5);

/// Whether a run may begin, or whom it has to wait for.
enum Turn {
    Free,
    /// A run holds the fleet that may be joined.
    Join(Box<Read<Run>>),
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
    let again = order.is_none() && aws.rings(&alarm_name(&run.fleet, direction.into())).await?;

    if let Some(begun) = aws.ledger().run(&run).await? {
        let decision = format!("{} has begun", run);
        return Ok(Output { begun: true, run: Some(begun_before(&begun.record)?), decision, again, seconds });
    }
    let start = Start { run, execution, direction, order, state };
    match start.decide(aws, fleet).await {
        Ok(Decided::Begun { ticket, decision }) => {
            Ok(Output { begun: true, run: Some(ticket), decision, again, seconds })
        }
        Ok(Decided::Stays { decision, for_good }) => {
            Ok(Output { begun: false, run: None, decision, again: again && !for_good, seconds })
        }
        // An alarm that rings on is looked at again: whatever is in the way may go.
        Err(StepError::Refused(why)) if order.is_none() => {
            Ok(Output { begun: false, run: None, decision: format!("refused: {why}"), again, seconds })
        }
        Err(error) => Err(error),
    }
}

/// What a look wants.
struct Start {
    run: RunRef,
    execution: RunId,
    direction: Direction,
    order: Option<SizeOrder>,
    state: StateContext,
}

/// What came of it.
enum Decided {
    Begun {
        ticket: Ticket,
        decision: String,
    },
    /// The size stays.
    Stays {
        decision: String,
        /// Looking again would be of no use.
        for_good: bool,
    },
}

impl Start {
    async fn decide(self, aws: &Aws, mut fleet: Read<FleetRecord>) -> Result<Decided, StepError> {
        let Self { run, execution, direction, order: wanted, state } = self;
        let mut joined = match turn(aws, &fleet.record, direction).await? {
            Turn::Free => None,
            Turn::Join(holder) => Some(holder),
            Turn::Wait(holder) => {
                let what = format!("run {holder} holds fleet {}", run.fleet);
                if wanted.is_none() {
                    return Ok(Decided::Stays { decision: format!("waits: {what}"), for_good: false });
                }
                return match wait(aws, &state, PATIENCE, what) {
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
        let observed = look(aws, &fleet.record, &health, golden).await?;
        let holder = joined.as_ref().map(|holder| &holder.record);
        let reading = read(aws, &fleet.record, &observed, holder, wanted).await?;
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
            (direction, Action::Out { .. } | Action::In { .. }) if wanted.is_some() => {
                return Err(StepError::Refused(format!("{decision}: that is no {direction}, which was started")));
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
                    let why = "nobody who stays is in service, so nobody is taken out";
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

/// An upgrade registers as many new members beside those that join as well.
async fn check_targets_of_both(aws: &Aws, holder: &Run, there: usize, more: u32) -> Result<(), StepError> {
    let quota = holder.config.load_balancer.target_quota;
    let there = u32::try_from(there).unwrap_or(u32::MAX);
    let new = holder.size.saturating_add(joined(aws, holder).await?.members).saturating_add(more);
    let members = there.saturating_add(more).saturating_add(new);
    if members > quota { Err(Refusal::TargetsToScale { members, quota }.into()) } else { Ok(()) }
}

/// The run of a look that is not the execution's first.
fn numbered(execution: &RunId, poll: u32) -> Result<RunId, StepError> {
    let id = format!("{execution}-{poll}");
    id.parse().map_err(|error| StepError::Refused(format!("the execution's name is too long to be numbered: {error}")))
}

fn begun_before(run: &Run) -> Result<Ticket, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    if !run.workflow.scales() {
        return Err(StepError::Refused(format!("{} is for something else: use another name", run.run)));
    }
    match &run.resumed_by {
        Some(execution) => Err(StepError::Refused(format!("{} goes on in the execution {execution}", run.run))),
        None => Ok(run.ticket()),
    }
}

/// How long until the next look at a fleet that stays as it is; what has been so for long is looked at less often.
fn pause(fleet: &FleetRecord, direction: Direction, poll: u32) -> Span {
    let of_direction = fleet.config.scaling.map(|scaling| match direction {
        Direction::Out => scaling.warm_up,
        Direction::In => scaling.cooldown_in,
    });
    let least = if poll < OFTEN { SHORTEST_PAUSE } else { LONGER_PAUSE };
    of_direction.unwrap_or(least).max(least)
}

/// Whose turn it is: a frozen run keeps the fleet until a person has looked.
async fn turn(aws: &Aws, fleet: &FleetRecord, direction: Direction) -> Result<Turn, StepError> {
    let Some(id) = fleet.joining.as_ref().or(fleet.lock.as_ref().map(|lock| &lock.run)) else { return Ok(Turn::Free) };
    let held_by = RunRef { fleet: fleet.name().clone(), id: id.clone() };
    let Some(holder) = aws.ledger().run(&held_by).await? else { return Ok(Turn::Wait(held_by.id)) };
    if holder.record.phase == Phase::Ended(Outcome::Frozen) {
        return Err(Refusal::Locked { fleet: held_by.fleet, run: held_by.id }.into());
    }
    // One joins at a time.
    if direction == Direction::Out && fleet.joining.is_none() && holder.record.may_be_joined() {
        return Ok(Turn::Join(Box::new(holder)));
    }
    Ok(Turn::Wait(held_by.id))
}
