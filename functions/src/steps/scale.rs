//! Decides how large the fleet is to be and begins the run that makes it so: a scale-out or a scale-in. Every decision is
//! recorded, with what it was made from.
//!
//! An alarm, a person or a schedule asks. A scale-out joins an upgrade that holds the fleet, as long as that may be joined;
//! whatever else would change the fleet waits for its turn, and is decided on what is there then.
//! Undone by the run's own way back. Asked again, it finds its run and answers the same.

use super::look::look;
use super::reading::{Found, read};
use super::wait::wait;
use crate::StepError;
use crate::aws::Aws;
use crate::ledger::Read;
use fleet::{
    Action, Direction, FleetName, FleetRecord, NewMembers, Order, Outcome, Phase, Refusal, Run, RunId, RunRef,
    ScaleRequest, Span, StateContext, Ticket, admit, alarm_name, decide, leaving,
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
    look: u32,
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

/// How long an order waits until whoever holds the fleet has ended.
const PATIENCE: Span = Span::minutes(60);
/// Between two looks it is at least so long: the CPU has one point a minute at best.
const SHORTEST_PAUSE: Span = Span::minutes(1);

/// Whether a run may begin, or whom it has to wait for.
enum Turn {
    Free,
    /// A run holds the fleet that may be joined.
    Join(Box<Read<Run>>),
    Wait(RunId),
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let request = ScaleRequest::read(input.request, input.direction).map_err(StepError::Refused)?;
    let id = if input.look == 0 { input.run.clone() } else { numbered(&input.run, input.look)? };
    let run = RunRef { fleet: request.fleet, id };
    let found = aws.ledger().fleet(&run.fleet).await?;
    let mut fleet = found.ok_or_else(|| Refusal::UnknownFleet { fleet: run.fleet.clone() })?;
    let pause = pause(&fleet.record, input.direction);

    if let Some(begun) = aws.ledger().run(&run).await? {
        return begun_before(&begun.record, request.order.is_none(), pause);
    }
    let again = request.order.is_none() && rings(aws, &run.fleet, input.direction).await?;
    let hold = |decision: String, again| Output { begun: false, run: None, decision, again, seconds: pause.as_secs() };

    let mut joined = match turn(aws, &fleet.record, input.direction).await? {
        Turn::Free => None,
        Turn::Join(holder) => Some(holder),
        Turn::Wait(holder) => {
            let what = format!("run {holder} holds fleet {}", run.fleet);
            let Some(_) = request.order else { return Ok(hold(format!("waits: {what}"), again)) };
            return match wait(aws, &input.state, PATIENCE, what) {
                Err(StepError::Failed(_)) => Err(Refusal::Locked { fleet: run.fleet, run: holder }.into()),
                waiting => waiting,
            };
        }
    };

    let observed = look(aws, &fleet.record, &fleet.record.golden.image).await?;
    let holder = joined.as_ref().map(|holder| &holder.record);
    let Found { reading, standing } = read(aws, &fleet.record, &observed, holder, request.order).await?;
    let decision = decide(&reading, &fleet.record.config, aws.now());
    aws.ledger().record_decision(&run, &decision).await?;
    let order = match (input.direction, &decision.action) {
        (Direction::Out, Action::Out { to, .. }) => Order::ScaleOut(to.saturating_sub(decision.inputs.size)),
        (Direction::In, Action::In { to, .. }) => {
            let k = decision.inputs.size.saturating_sub(*to);
            let leaving = leaving(&standing, &fleet.record.golden.image, k);
            Order::ScaleIn(leaving.into_iter().map(|one| one.member.id.clone()).collect())
        }
        (_, Action::Refused { reason }) => return Err(StepError::Refused(reason.to_string())),
        (direction, Action::Out { .. } | Action::In { .. }) if request.order.is_some() => {
            return Err(StepError::Refused(format!("{decision}: that is no {direction}, which was started")));
        }
        (direction, _) => return Ok(hold(decision.to_string(), again && !decision.is_at_bound(direction))),
    };

    let admission = admit(&fleet.record, &observed, &order)?;
    let (now, fence, config) = (aws.now(), fleet.record.next_fence(), fleet.record.config.clone());
    let mut begun = Run::begin(run, order.clone(), config, &admission, fence, now);
    begun.in_execution = (begun.run.id != input.run).then_some(input.run);
    match (&order, &mut joined) {
        (Order::ScaleIn(leaving), _) => {
            let stay = standing.iter().filter(|one| one.in_service.is_some() && !leaving.contains(&one.member.id));
            let staying = NewMembers { ids: stay.map(|one| one.member.id.clone()).collect() };
            if staying.ids.is_empty() {
                return Err(StepError::Refused("nobody who stays is in service: nobody is taken out".to_owned()));
            }
            fleet.record.lock(&begun, now);
            aws.ledger().begin_scale_in(&fleet, &begun, &admission.before, &staying).await?;
        }
        (_, Some(holder)) => {
            begun.joins = Some(holder.record.run.id.clone());
            holder.record.join(&begun.run.id, begun.size);
            fleet.record.fence = fence;
            fleet.record.joining = Some(begun.run.id.clone());
            aws.ledger().begin_joining(&fleet, holder, &begun, &admission.before).await?;
        }
        (_, None) => {
            fleet.record.lock(&begun, now);
            aws.ledger().begin(&fleet, &begun, &admission.before).await?;
        }
    }
    let seconds = pause.as_secs();
    Ok(Output { begun: true, run: Some(begun.ticket()), decision: decision.to_string(), again, seconds })
}

/// The run of a look that is not the execution's first.
fn numbered(execution: &RunId, look: u32) -> Result<RunId, StepError> {
    let id = format!("{execution}-{look}");
    id.parse().map_err(|error| StepError::Refused(format!("the execution's name is too long to be numbered: {error}")))
}

fn begun_before(run: &Run, again: bool, pause: Span) -> Result<Output, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    if let Some(execution) = &run.taken_up_by {
        return Err(StepError::Refused(format!("{} goes on in the execution {execution}", run.run)));
    }
    let decision = format!("{} has begun", run.run);
    Ok(Output { begun: true, run: Some(run.ticket()), decision, again, seconds: pause.as_secs() })
}

/// How long until the next look at a fleet that stays as it is.
fn pause(fleet: &FleetRecord, direction: Direction) -> Span {
    let of_direction = fleet.config.scaling.map(|scaling| match direction {
        Direction::Out => scaling.warm_up,
        Direction::In => scaling.cooldown_in,
    });
    of_direction.unwrap_or(SHORTEST_PAUSE).max(SHORTEST_PAUSE)
}

/// Whether the alarm that asks for this rings.
async fn rings(aws: &Aws, fleet: &FleetName, direction: Direction) -> Result<bool, StepError> {
    Ok(aws.rings(&alarm_name(fleet, direction.into())).await?)
}

/// Whose turn it is: a frozen run keeps the fleet until a person has looked.
async fn turn(aws: &Aws, fleet: &FleetRecord, direction: Direction) -> Result<Turn, StepError> {
    if let Some(joining) = &fleet.joining {
        return Ok(Turn::Wait(joining.clone()));
    }
    let Some(lock) = &fleet.lock else { return Ok(Turn::Free) };
    let held_by = RunRef { fleet: fleet.name().clone(), id: lock.run.clone() };
    let Some(holder) = aws.ledger().run(&held_by).await? else { return Ok(Turn::Wait(held_by.id)) };
    if holder.record.phase == Phase::Ended(Outcome::Frozen) {
        return Err(Refusal::Locked { fleet: held_by.fleet, run: held_by.id }.into());
    }
    if direction == Direction::Out && holder.record.may_be_joined() {
        return Ok(Turn::Join(Box::new(holder)));
    }
    Ok(Turn::Wait(held_by.id))
}
