//! `repair`: brings a run whose execution is dead, or that is frozen, to its end: back as long as the old members stand,
//! forward once they are being deleted. A fleet that no run holds is brought back to what it was declared to be, whatever
//! was edited by hand. It says what it will do; `--yes` does it.

use super::stack::{Execution, Stack, Started};
use super::stop::Stop;
use super::upgrade::run_id;
use super::watch;
use crate::cli::Repair;
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{InstanceId, Order, Outcome, Phase, Refusal, Restoration, Run, RunPath, RunRef, Workflow, admit};
use serde_json::json;

pub(super) async fn run(stack: &Stack, args: &Repair, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let record = stack.fleet(&args.fleet).await?.record;
    let name = run_id(stack, &args.fleet, &"repair")?;
    let held_by = stack.stuck_or_held(&record).await?;
    let (run, definition, said, input) = match held_by {
        Some(held_by) => {
            let run = stack.run(&args.fleet, Some(&held_by)).await?.record;
            let how = dead(stack, &run).await?;
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
            // With what was read here: another state of the fleet is refused.
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
    let execution = Started { definition, name };
    stack.start(&execution, &input).await?;
    match watch::until_over(stack, &run, &execution, &args.watching, streams).await? {
        // That is what was said.
        Exit::RolledBack => Ok(Exit::Done),
        other => Ok(other),
    }
}

/// How it is known that nobody goes on with the run.
async fn dead(stack: &Stack, run: &Run) -> Result<String, Stop> {
    if run.phase == Phase::Ended(Outcome::Frozen) {
        return Ok("ended frozen".to_owned());
    }
    match stack.describe(&Started::of(run)).await? {
        Execution::Going => {
            let why = format!("{} is going: it ends by itself, or with 'fleetwright abort'", run.run);
            Err(Stop::refused(why))
        }
        Execution::Over { failure: Some((error, _)) } => Ok(format!("ended with {error}")),
        Execution::Over { failure: None } => Ok("is over".to_owned()),
        Execution::Unknown => Ok("is not known to Step Functions".to_owned()),
    }
}

fn what_a_run_does(run: &Run) -> String {
    let stands = format!("{} is {}, and nobody goes on with it", run.run, run.phase.as_str());
    let image = match (&run.image_failure, run.workflow) {
        (_, Workflow::Revert) => "; the image that it was to go back to stays",
        (Some(_), _) => "; its image, which failed its verification, stays in quarantine",
        (None, _) => ", and its image is deregistered",
    };
    match (run.resume_path(), run.workflow) {
        (RunPath::Rollback, Workflow::Restore) => format!(
            "{stands}. It goes on restoring: the members that were found are tagged and registered; once they are \
             healthy, what ended runs left behind is taken out, drains and is deleted; then the lock is released."
        ),
        (RunPath::Rollback, Workflow::ScaleOut) => format!(
            "{stands}. Whoever of the {} that it was to add is healthy stays; the others are taken out and deleted, and \
             it is over.",
            run.size
        ),
        (RunPath::Rollback, Workflow::ScaleIn) => format!(
            "{stands}. Back: those who were to leave are tagged and registered; once all are healthy, the lock is released."
        ),
        (RunPath::Rollback, Workflow::GoldenImage) => format!(
            "{stands}. Back: the member that the image was to be of is started, tagged and registered; once it is \
             healthy, the image is deregistered and the lock is released."
        ),
        (RunPath::Forward, Workflow::ScaleIn) => {
            format!("{stands}. Forward: those who have left the load balancer are deleted, and the lock is released.")
        }
        (RunPath::Rollback, _) => format!(
            "{stands}. Back: the members that were there before are tagged and registered; once all are healthy, those \
             that the run made are taken out, drain and are deleted, with its builder{image}; then the lock is released."
        ),
        (RunPath::Forward, _) => format!(
            "{stands}. Forward: it is committed to {}; the old members that are left are deleted, its image becomes \
             the golden one, images beyond those that are kept are deregistered, and the lock is released.",
            run.to
        ),
    }
}

fn what_a_restoration_does(restoration: &Restoration) -> String {
    let Restoration { members, brought_in, deleted, deregistered } = restoration;
    let list = |ids: &[InstanceId]| ids.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    if !brought_in.is_empty() {
        parts.push(format!("{} are tagged and registered", list(brought_in)));
    }
    parts.push(format!("all {} members are waited for until they are healthy", members.len()));
    if !deleted.is_empty() {
        parts.push(format!("{}, left over of ended runs, are taken out and terminated", list(deleted)));
    }
    if !deregistered.is_empty() {
        let images = deregistered.iter().map(fleet::ImageId::as_str).collect::<Vec<_>>().join(", ");
        parts.push(format!("{images}, which nothing keeps, are deregistered with their snapshots"));
    }
    format!("no run holds the fleet: {}", parts.join("; "))
}
