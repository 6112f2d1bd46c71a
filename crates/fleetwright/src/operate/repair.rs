//! `repair`: brings a run whose execution is dead, or that is frozen, to its end: back as long as the old members stand,
//! forward once they are being deleted. It says what it will do; `--yes` does it.

use super::stack::{Execution, Stack};
use super::stop::Stop;
use super::watch;
use crate::cli::Repair;
use crate::{Exit, Streams};
use fleet::{Outcome, Phase, Run, RunId, Way};
use functions::Named;
use serde_json::json;

pub(super) async fn run(stack: &Stack, args: &Repair, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let record = stack.fleet(&args.fleet).await?.record;
    let Some(lock) = record.lock else {
        streams.talk(format!("nothing to repair: no run holds fleet {}", args.fleet));
        return Ok(Exit::Done);
    };
    let run = stack.run(&args.fleet, Some(&lock.run)).await?.record;
    let frozen = run.phase == Phase::Ended(Outcome::Frozen);
    if !frozen && matches!(stack.describe(run.execution()).await?, Execution::Going) {
        let why = format!("{} is going: it ends by itself, or with 'fleetwright abort'", run.run);
        return Err(Stop::refused(why));
    }
    streams.talk(what_it_does(&run));
    if !args.yes {
        streams.talk("nothing is changed yet: 'fleetwright repair --yes' does it");
        return Ok(Exit::Done);
    }
    let execution = execution(stack, &run)?;
    let input = json!({"fleet": args.fleet, "repair": run.run.id}).to_string();
    let start = stack.step_functions.start_execution().state_machine_arn(stack.state_machine());
    start.name(execution.as_str()).input(input).send().await.of("StartExecution")?;
    match watch::until_over(stack, &run.run, &execution, &args.watching, streams).await? {
        // That is what was said.
        Exit::RolledBack => Ok(Exit::Done),
        other => Ok(other),
    }
}

fn execution(stack: &Stack, run: &Run) -> Result<RunId, Stop> {
    let id = format!("repair-{}-{}", run.run.fleet, stack.now().strftime("%Y%m%d-%H%M%S"));
    id.parse().map_err(|error: fleet::InvalidId| Stop::error(error.to_string()))
}

fn what_it_does(run: &Run) -> String {
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
