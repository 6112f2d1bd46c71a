//! `watch`: a run as it goes, to its end; the exit status says how it ended.

use super::live::Live;
use super::outcome::{Ended, step_line};
use super::show;
use super::stack::{Execution, Stack};
use super::stop::Stop;
use crate::cli::{Watch, Watching};
use crate::{Exit, Streams};
use fleet::{Phase, RunRef, StepRecord};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(stack: &Stack, args: &Watch, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let run = stack.run(&args.of.fleet, args.of.run.as_ref()).await?.record.run;
    until_over(stack, &run, &args.watching, streams).await
}

/// Shows a run's steps as they end, then how it ended.
pub(super) async fn until_over(
    stack: &Stack,
    run: &RunRef,
    watching: &Watching,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    let until = watching.timeout.map(|timeout| stack.now() + SignedDuration::from(timeout));
    let mut live = Live::new(streams);
    let over = follow(stack, run, until, &mut live).await;
    live.end();
    let (ended, exit) = match over? {
        Over::Ended(ended, exit) => (ended, exit),
        Over::Unchanged => {
            streams.talk(format!("{run}: nothing to do, the fleet is on that version"));
            return Ok(Exit::Done);
        }
        Over::StillGoing => {
            streams.talk(format!("{run} is still going; 'fleetwright watch' takes it up again"));
            return Ok(Exit::StillGoing);
        }
    };
    show(streams, watching.output, &*ended, Ended::text)?;
    Ok(exit)
}

enum Over {
    Ended(Box<Ended>, Exit),
    Unchanged,
    StillGoing,
}

async fn follow(stack: &Stack, run: &RunRef, until: Option<Timestamp>, live: &mut Live<'_, '_>) -> Result<Over, Stop> {
    let mut shown = BTreeSet::new();
    loop {
        // The execution before the ledger: once it is over, nothing of the run is written any more.
        let execution = stack.describe(&run.id).await?;
        let record = stack.ledger.run(run).await?.map(|read| read.record);
        let Some(record) = record else {
            if let Some(over) = not_begun(run, &execution)? {
                return Ok(over);
            }
            tokio::time::sleep(EVERY).await;
            continue;
        };
        let steps = stack.ledger.steps(run).await?;
        for step in &steps {
            if shown.insert((step.started, step.state.clone())) {
                live.line(&step_line(record.started, step));
            }
        }
        if let Phase::AwaitingApproval { .. } = &record.phase {
            live.once(&format!("{run} waits for a person: fleetwright approve --fleet {}, or abort", run.fleet));
        }
        if let Phase::Ended(_) = &record.phase {
            return Ok(ended(record, steps));
        }
        if let Execution::Over { .. } = execution {
            return Err(dead(run, record.phase.as_str()));
        }
        if until.is_some_and(|until| stack.now() >= until) {
            return Ok(Over::StillGoing);
        }
        if live.is_animated() {
            live.now(&stack.doing(&run.id).await?.unwrap_or_else(|| record.phase.as_str().to_owned()));
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn ended(record: fleet::Run, steps: Vec<StepRecord>) -> Over {
    let ended = Ended::new(record, steps);
    let exit = ended.exit().unwrap_or(Exit::Error);
    Over::Ended(Box::new(ended), exit)
}

/// How an execution ended that left no run in the ledger, if it has ended.
fn not_begun(run: &RunRef, execution: &Execution) -> Result<Option<Over>, Stop> {
    match execution {
        Execution::Going => Ok(None),
        Execution::Over { failure: None } => Ok(Some(Over::Unchanged)),
        Execution::Over { failure: Some((error, cause)) } if error == "Refused" => Err(Stop::refused(cause)),
        Execution::Over { failure: Some((error, cause)) } => {
            Err(Stop::error(format!("{run} was not begun, nothing was changed: {error}: {cause}")))
        }
    }
}

/// An execution that was stopped, or that ended where no state caught it.
fn dead(run: &RunRef, doing: &str) -> Stop {
    let text = format!(
        "the execution of {run} ended while it was {doing}: the fleet stays locked and as it is until a person has looked: see infra/runbook/stopped.md"
    );
    Stop::frozen(text)
}
