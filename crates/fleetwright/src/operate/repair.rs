//! `repair`: resumes a frozen or dead run, which rolls back before its commit and finishes after it. If no run holds the
//! lock, it restores the fleet to its declared state after changes by hand. It says what it will do; `--yes` does it.

use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use super::upgrade::run_id;
use super::{WatchOptions, watch};
use crate::definition::Definition;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    FleetName, InstanceId, Order, Outcome, Phase, Refusal, Restoration, Run, RunPath, RunRef, Workflow, admit,
};
use serde_json::json;

/// The fleet to repair.
#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// Repair. Without this, the command only says what it would do.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

pub(crate) async fn run(args: &RepairArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    let name = run_id(stack, &args.fleet, &"repair")?;
    let held_by = stack.blocking_run(&record).await?;
    let (run, definition, said, input) = match held_by {
        Some(held_by) => {
            let run = stack.run(&args.fleet, Some(&held_by)).await?.record;
            let how = how_it_died(stack, &run).await?;
            let dead = json!({"execution": run.execution(), "how": how});
            let input = json!({"fleet": args.fleet, "repair": run.run.id, "dead": dead});
            (run.run.clone(), Definition::of(run.workflow), what_a_run_does(&run), input)
        }
        None => {
            let observed = stack.observe(&args.fleet, None).await?;
            let admission = match admit(&record, &observed, &Order::Restore) {
                Err(nothing @ Refusal::NothingToRepair { .. }) => {
                    streams.talk(nothing);
                    return Ok(Exit::Done);
                }
                admitted => admitted?,
            };
            let restoration = Restoration::of(&record, &observed.inventory.unwrap_or_default());
            // With the fingerprint of what was observed here: the run refuses a fleet that has changed since.
            let input = json!({"fleet": args.fleet, "restore": true, "plan": admission.fingerprint});
            let run = RunRef { fleet: args.fleet.clone(), id: name.clone() };
            (run, Definition::UPGRADE, what_a_restoration_does(&restoration), input)
        }
    };
    streams.talk(said);
    if !args.yes {
        streams.talk("nothing is changed yet: 'fleetwright repair --yes' does it");
        return Ok(Exit::Done);
    }
    let execution = ExecutionId { definition, name };
    stack.start(&execution, &input).await?;
    match watch::until_over(stack, &run, &execution, &args.watching, streams).await? {
        // The command announced this outcome.
        Exit::RolledBack => Ok(Exit::Done),
        other => Ok(other),
    }
}

/// How it is known that no execution continues the run; `resume` records it.
///
/// # Errors
/// Refused if the run's execution is running.
async fn how_it_died(stack: &Stack, run: &Run) -> Result<String, Stop> {
    if run.phase == Phase::Ended(Outcome::Frozen) {
        return Ok("ended frozen".to_owned());
    }
    match stack.describe(&ExecutionId::of(run)).await? {
        Execution::Running => {
            let why = format!("{} is running: it ends by itself, or with 'fleetwright abort'", run.run);
            Err(Stop::refused(why))
        }
        Execution::Ended { failure: Some((error, _)) } => Ok(format!("ended with {error}")),
        Execution::Ended { failure: None } => Ok("is over".to_owned()),
        Execution::Unknown => Ok("is not known to Step Functions".to_owned()),
    }
}

fn what_a_run_does(run: &Run) -> String {
    let state = format!("{} is {}, and no execution continues it", run.run, run.phase.as_str());
    let image = match (&run.image_failure, run.workflow) {
        (_, Workflow::Revert) => "; the image that it reverts to stays",
        (Some(_), _) => "; its image, which failed its verification, stays in quarantine",
        (None, _) => ", and its image is deregistered",
    };
    match (run.resume_path(), run.workflow) {
        (RunPath::Rollback, Workflow::Restore) => format!(
            "{state}. It continues to restore: it tags and registers the members that it found; once they are healthy, it \
             drains and deletes the left-overs of ended runs; then it releases the lock."
        ),
        (RunPath::Rollback, Workflow::ScaleOut) => format!(
            "{state}. It ends: of the {} members that it was to add, the healthy ones stay; it drains and deletes the others.",
            run.size
        ),
        (RunPath::Rollback, Workflow::ScaleIn) => format!(
            "{state}. It rolls back: it tags and registers the leaving members; once all members are healthy, it releases the \
             lock."
        ),
        (RunPath::Rollback, Workflow::GoldenImage) => format!(
            "{state}. It rolls back: it starts, tags and registers the source member; once that is healthy, it deregisters \
             the image and releases the lock."
        ),
        (RunPath::Forward, Workflow::ScaleIn) => {
            format!("{state}. It finishes: it deletes the leaving members and releases the lock.")
        }
        (RunPath::Rollback, _) => format!(
            "{state}. It rolls back: it tags and registers the members from before the run; once all are healthy, it drains \
             and deletes the members that it made and its builder{image}; then it releases the lock."
        ),
        (RunPath::Forward, _) => format!(
            "{state}. It finishes, because it is committed to {}: it deletes the remaining leaving members, makes its image the \
             golden image, deregisters outdated images and releases the lock.",
            run.to
        ),
    }
}

fn what_a_restoration_does(restoration: &Restoration) -> String {
    let Restoration { members, brought_in, deleted, deregistered } = restoration;
    let list = |ids: &[InstanceId]| ids.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    if !brought_in.is_empty() {
        parts.push(format!("tags and registers {}", list(brought_in)));
    }
    parts.push(format!("waits until all {} members are healthy", members.len()));
    if !deleted.is_empty() {
        parts.push(format!("drains and terminates {}, left over from ended runs", list(deleted)));
    }
    if !deregistered.is_empty() {
        let images = deregistered.iter().map(fleet::ImageId::as_str).collect::<Vec<_>>().join(", ");
        parts.push(format!("deregisters {images}, which the fleet does not keep, with their snapshots"));
    }
    format!("no run holds the lock. A restore {}.", parts.join("; it "))
}
