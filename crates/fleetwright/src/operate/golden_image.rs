//! `golden-image`: takes a golden image of a member, as a run of its own.

use super::stack::{Stack, Started};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::cli::GoldenImage;
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{Order, Refusal, RunRef, admit, check_window_of_image};
use serde_json::json;

pub(super) async fn run(stack: &Stack, args: &GoldenImage, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
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
    // The one that was read about here is the one that is taken.
    if let Some(member) = admission.source {
        let others = observed.in_service().saturating_sub(1);
        streams.talk(format!("{} is stopped for a while; {others} other members stay in service", member.id));
        input["member"] = member.id.as_str().into();
    }
    if args.downtime {
        input["downtime"] = true.into();
    }
    let execution = Started { definition: Definition::GOLDEN_IMAGE, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}
