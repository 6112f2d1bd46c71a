//! `scale`: starts a scale-out or scale-in to a size that the operator orders. It starts the state machine that an alarm
//! starts, with a size in the input.

use super::WatchOptions;
use super::stack::{ExecutionId, Stack};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::definition::Definition;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{Direction, FleetName, RunRef, SizeOrder};
use serde_json::json;

/// The size that the fleet is to have.
#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    /// The number of members that the fleet is to have.
    #[arg(long, value_name = "MEMBERS", conflicts_with = "by")]
    to: Option<u32>,
    /// The number of members to add, or with a '-' to remove.
    #[arg(long, value_name = "CHANGE", allow_negative_numbers = true)]
    by: Option<i32>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// Return as soon as the run is started, without watching it.
    #[arg(long, conflicts_with = "timeout")]
    detach: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

/// The order that the arguments state.
fn read(args: &ScaleArgs) -> Result<SizeOrder, Stop> {
    match (args.to, args.by) {
        (Some(to), None) => Ok(SizeOrder::To(to)),
        (None, Some(0)) => Err(Stop::bad_input(
            "--by: 0 changes nothing: expected the number of members to add, or with a '-' to remove",
        )),
        (None, Some(by)) => Ok(SizeOrder::By(by)),
        _ => Err(Stop::bad_input("name the size with --to, or the change with --by")),
    }
}

pub(crate) async fn run(args: &ScaleArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let order = read(args)?;
    let stack = &Stack::connect().await?;
    let fleet = stack.fleet(&args.fleet).await?.record;
    let direction = match order {
        SizeOrder::By(change) if change > 0 => Direction::Out,
        SizeOrder::By(_) => Direction::In,
        SizeOrder::To(to) => {
            let present = stack.observe(&args.fleet, None).await?.members(&args.fleet);
            match usize::try_from(to).unwrap_or(usize::MAX).cmp(&present) {
                std::cmp::Ordering::Equal => {
                    streams.talk(format!("nothing to do: fleet {} has {present} members", args.fleet));
                    return Ok(Exit::Done);
                }
                std::cmp::Ordering::Greater => Direction::Out,
                std::cmp::Ordering::Less => Direction::In,
            }
        }
    };
    if let Some(lock) = &fleet.lock {
        streams.talk(format!(
            "run {} holds the lock of fleet {}: this run joins it or waits for its end",
            lock.run, args.fleet
        ));
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
    let execution = ExecutionId { definition, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}
