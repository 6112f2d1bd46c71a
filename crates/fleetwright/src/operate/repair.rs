//! `repair`: brings a run whose execution is dead, or that is frozen, to its end: back as long as the old members stand,
//! forward once they are being deleted. A fleet that no run holds is brought back to what it was declared to be, whatever
//! was edited by hand. It says what it will do; `--yes` does it.

use super::stack::{Execution, Stack};
use super::stop::Stop;
use super::upgrade::run_id;
use super::watch;
use crate::cli::Repair;
use crate::{Exit, Streams};
use fleet::{FleetRecord, InstanceId, Outcome, Phase, Restoration, Run, RunRef, Way};
use serde_json::{Value, json};

pub(super) async fn run(stack: &Stack, args: &Repair, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let record = stack.fleet(&args.fleet).await?.record;
    let execution = run_id(stack, &args.fleet, &"repair")?;
    let (run, said, input) = match &record.lock {
        Some(lock) => {
            let run = stack.run(&args.fleet, Some(&lock.run)).await?.record;
            let dead = dead(stack, &run).await?;
            (run.run.clone(), what_a_run_does(&run), taking_up(&run.run, dead))
        }
        None => match restoration(stack, args, &record).await? {
            Some(restoration) => {
                let run = RunRef { fleet: args.fleet.clone(), id: execution.clone() };
                (run, what_a_restoration_does(&restoration), json!({"fleet": args.fleet, "restore": true}))
            }
            None => {
                streams.talk(format!(
                    "nothing to repair: fleet {} has what it should have; 'fleetwright doctor' says what is left to a person",
                    args.fleet
                ));
                return Ok(Exit::Done);
            }
        },
    };
    streams.talk(said);
    if !args.yes {
        streams.talk("nothing is changed yet: 'fleetwright repair --yes' does it");
        return Ok(Exit::Done);
    }
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
        return Ok("it is frozen".to_owned());
    }
    let execution = run.execution();
    match stack.describe(execution).await? {
        Execution::Going => {
            let why = format!("{} is going: it ends by itself, or with 'fleetwright abort'", run.run);
            Err(Stop::refused(why))
        }
        Execution::Over { failure: Some((error, _)) } => Ok(format!("its execution {execution} ended with {error}")),
        Execution::Over { failure: None } => Ok(format!("its execution {execution} is over")),
        Execution::Unknown => Ok(format!("there is no execution {execution}")),
    }
}

fn taking_up(run: &RunRef, dead: String) -> Value {
    json!({"fleet": run.fleet, "repair": run.id, "dead": dead})
}

/// What is to be restored, if anything is.
async fn restoration(stack: &Stack, args: &Repair, record: &FleetRecord) -> Result<Option<Restoration>, Stop> {
    let observed = stack.observe(&args.fleet, None).await?;
    let restoration = Restoration::of(record, &observed.census.unwrap_or_default());
    Ok((!restoration.is_empty()).then_some(restoration))
}

fn what_a_run_does(run: &Run) -> String {
    let stands = format!("{} is {}, and nobody goes on with it", run.run, run.phase.as_str());
    match run.way_on() {
        Way::Back => format!(
            "{stands}. Back: the members that were there before are tagged and registered; once all are healthy, those \
             that the run made are taken out, drain and are deleted, with its builder and its image; then the lock is \
             released."
        ),
        Way::Forward => format!(
            "{stands}. Forward: it is committed to {}; the old members that are left are deleted, its image becomes \
             the golden one, and the lock is released.",
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
