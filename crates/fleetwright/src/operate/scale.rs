//! `scale`: more members, or fewer, at once. It starts the state machine that an alarm starts, with a size instead.

use super::stack::{Stack, Started};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::cli::Scale;
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{Direction, RunRef, SizeOrder};
use serde_json::json;

/// What the arguments ask for.
pub(super) fn read(args: &Scale) -> Result<SizeOrder, Stop> {
    match (args.to, args.by) {
        (Some(to), None) => Ok(SizeOrder::To(to)),
        (None, Some(0)) => Err(Stop::bad_input("--by: 0 changes nothing: expected how many more, or with a '-' fewer")),
        (None, Some(by)) => Ok(SizeOrder::By(by)),
        _ => Err(Stop::bad_input("name the size with --to, or the change with --by")),
    }
}

pub(super) async fn run(
    order: SizeOrder,
    stack: &Stack,
    args: &Scale,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    let fleet = stack.fleet(&args.fleet).await?.record;
    let direction = match order {
        SizeOrder::By(change) if change > 0 => Direction::Out,
        SizeOrder::By(_) => Direction::In,
        SizeOrder::To(to) => {
            let there = stack.observe(&args.fleet, None).await?.members(&args.fleet);
            match usize::try_from(to).unwrap_or(usize::MAX).cmp(&there) {
                std::cmp::Ordering::Equal => {
                    streams.talk(format!("nothing to do: fleet {} has {there} members", args.fleet));
                    return Ok(Exit::Done);
                }
                std::cmp::Ordering::Greater => Direction::Out,
                std::cmp::Ordering::Less => Direction::In,
            }
        }
    };
    if let Some(lock) = &fleet.lock {
        streams.talk(format!("run {} holds fleet {}: this one joins it, or waits for its turn", lock.run, args.fleet));
    }
    let (definition, what) = match direction {
        Direction::Out => (Definition::SCALE_OUT, "out"),
        Direction::In => (Definition::SCALE_IN, "in"),
    };
    let run = RunRef { id: run_id(stack, &args.fleet, &what)?, fleet: args.fleet.clone() };
    let mut input = json!({"fleet": run.fleet});
    match order {
        SizeOrder::To(to) => input["to"] = to.into(),
        SizeOrder::By(by) => input["by"] = by.into(),
    }
    let execution = Started { definition, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}
