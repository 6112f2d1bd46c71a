//! `golden-image`: starts a run that takes a golden image of a member.

use super::WatchOptions;
use super::stack::{ExecutionId, Stack};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::definition::Definition;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{FleetName, InstanceId, Order, Refusal, RunRef, admit, check_window_of_image};
use serde_json::json;

/// The member to take the image of.
#[derive(Debug, Args)]
pub(crate) struct GoldenImageArgs {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// The member to take the image of. By default, the first member in service.
    #[arg(long, value_name = "INSTANCE")]
    member: Option<InstanceId>,
    /// Accept an outage: take the image even if the member is the only one in service.
    #[arg(long)]
    downtime: bool,
    /// Return as soon as the run is started, without watching it.
    #[arg(long, conflicts_with = "timeout")]
    detach: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

pub(crate) async fn run(args: &GoldenImageArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    if let Some(holder) = record.held_by() {
        return Err(Refusal::Locked { fleet: args.fleet.clone(), run: holder.clone() }.into());
    }
    let observed = stack.observe(&args.fleet, None).await?;
    let order = Order::GoldenImage { of: args.member.clone(), downtime: args.downtime };
    let admission = admit(&record, &observed, &order)?;
    if !record.config.upgrade.windows.is_empty() {
        check_window_of_image(&record.config, &stack.ledger.runs(&args.fleet).await?, stack.now())?;
    }
    let run = RunRef { id: run_id(stack, &args.fleet, &"image")?, fleet: args.fleet.clone() };
    let mut input = json!({"fleet": run.fleet});
    // By its id, so that the run takes the member that the operator reads about here.
    if let Some(member) = admission.source {
        let others = observed.in_service().saturating_sub(1);
        streams.talk(format!("the run stops {} for a while; {others} other members stay in service", member.id));
        input["member"] = member.id.as_str().into();
    }
    if args.downtime {
        input["downtime"] = true.into();
    }
    let execution = ExecutionId { definition: Definition::GOLDEN_IMAGE, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}
