//! `watch`: shows a run until it ends; the exit status says how it ended.

use super::shown_run::{ShownRun, step_event};
use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use super::{RunArgs, WatchOptions, show};
use crate::definition::Definition;
use crate::display::{StepDisplay, StepEvent};
use crate::output::Output;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{Phase, Run, RunRef, StepRecord};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// The time between two polls.
const EVERY: Duration = Duration::from_secs(2);
/// How many polls in a row may fail before the command stops watching: five minutes of them. The run continues.
const FAILURES: u32 = 150;
/// How many polls may find neither an execution nor a run. AWS does not show a new execution everywhere at once.
const UNSEEN: u32 = 15;

/// The run to watch.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    of: RunArgs,
    #[command(flatten)]
    watching: WatchOptions,
}

pub(crate) async fn run(args: &WatchArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let run = match &args.of.run {
        // The run may be so new that the ledger does not have it yet.
        Some(id) => RunRef { fleet: args.of.fleet.clone(), id: id.clone() },
        None => stack.run(&args.of.fleet, None).await?.record.run,
    };
    let known = stack.ledger.run(&run).await?;
    let definition = known.map_or(Definition::UPGRADE, |known| Definition::of(known.record.workflow));
    let execution = ExecutionId { definition, name: run.id.clone() };
    until_over(stack, &run, &execution, &args.watching, streams).await
}

/// Shows a run's steps as they end, then its outcome. `execution` is the last one that was started for it.
pub(super) async fn until_over(
    stack: &Stack,
    run: &RunRef,
    execution: &ExecutionId,
    watching: &WatchOptions,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    let mut display = StepDisplay::new(None, streams);
    let over = follow(stack, run, execution, watching, &mut display).await;
    display.end();
    match over? {
        Over::Ended(shown, exit) => {
            show(streams, watching.output, &*shown, ShownRun::text)?;
            Ok(exit)
        }
        Over::Unchanged => {
            unchanged(run, watching.output, streams);
            Ok(Exit::Done)
        }
        Over::StillRunning => {
            streams.talk(format!("{run} continues; 'fleetwright watch {} --fleet {}' shows it", run.id, run.fleet));
            Ok(Exit::StillRunning)
        }
    }
}

/// Says that there was nothing to do.
fn unchanged(run: &RunRef, output: Output, streams: &mut Streams<'_>) {
    streams.talk(format!("{run}: nothing to do, the fleet already is as ordered"));
    if output == Output::Json {
        streams.data(json!({"schema_version": 1, "run": run.id, "fleet": run.fleet, "outcome": "unchanged"}));
    }
}

enum Over {
    Ended(Box<ShownRun>, Exit),
    Unchanged,
    StillRunning,
}

/// What one poll found.
struct Seen {
    execution: Execution,
    /// The run and its steps, once it is in the ledger.
    run: Option<(Run, Vec<StepRecord>)>,
}

async fn poll(stack: &Stack, run: &RunRef, execution: &ExecutionId) -> Result<Seen, Stop> {
    // Read the execution before the ledger: once the execution has ended, it writes nothing more of the run.
    let execution = stack.describe(execution).await?;
    let run = match stack.ledger.run(run).await? {
        None => None,
        Some(read) => Some((read.record, stack.ledger.steps(run).await?)),
    };
    Ok(Seen { execution, run })
}

async fn follow(
    stack: &Stack,
    run: &RunRef,
    execution: &ExecutionId,
    watching: &WatchOptions,
    display: &mut StepDisplay<'_, '_>,
) -> Result<Over, Stop> {
    let until = watching.timeout.map(|timeout| stack.now() + SignedDuration::from(timeout));
    let mut execution = execution.clone();
    let mut shown = BTreeSet::new();
    let (mut failures, mut unseen) = (0, 0);
    loop {
        match poll(stack, run, &execution).await {
            Err(stop) if stop.transient && failures < FAILURES => {
                failures += 1;
                display.show(&StepEvent::Notice(&format!("{stop}; the run continues meanwhile, polling again")));
            }
            Err(stop) if stop.transient => return Ok(Over::StillRunning),
            Err(stop) => return Err(stop),
            Ok(Seen { execution: status, run: None }) => {
                failures = 0;
                if let Some(over) = not_begun(run, &status, &mut unseen)? {
                    return Ok(over);
                }
            }
            Ok(Seen { execution: status, run: Some((record, steps)) }) => {
                failures = 0;
                for step in &steps {
                    if shown.insert((step.started, step.state.clone())) {
                        display.show(&step_event(record.started, step));
                    }
                }
                if let Some(over) = over(run, record.clone(), steps, &status, &mut execution)? {
                    return Ok(over);
                }
                if let Phase::AwaitingApproval { .. } = &record.phase {
                    let fleet = &run.fleet;
                    let awaits = format!("{run} awaits approval: 'fleetwright approve --fleet {fleet}', or abort it");
                    display.show(&StepEvent::Notice(&awaits));
                }
                if display.is_animated() {
                    let state = stack.current_state(&execution).await.ok().flatten();
                    let step = state.as_deref().unwrap_or(record.phase.as_str());
                    display.show(&StepEvent::Started { at: None, step });
                }
            }
        }
        if until.is_some_and(|until| stack.now() >= until) {
            return Ok(Over::StillRunning);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// How a run that is in the ledger ended, if it has.
fn over(
    run: &RunRef,
    record: Run,
    steps: Vec<StepRecord>,
    status: &Execution,
    execution: &mut ExecutionId,
) -> Result<Option<Over>, Stop> {
    if *record.execution() != execution.name {
        match status {
            // The execution is about to resume the run.
            Execution::Running => {}
            Execution::Ended { failure: Some((error, cause)) } if error == "Refused" => {
                return Err(Stop::refused(cause));
            }
            // Another execution has resumed the run since.
            Execution::Ended { .. } | Execution::Unknown => *execution = ExecutionId::of(&record),
        }
        return Ok(None);
    }
    let shown = ShownRun::new(record, steps);
    match (shown.exit(), status) {
        (Some(exit), _) => Ok(Some(Over::Ended(Box::new(shown), exit))),
        (None, Execution::Running) => Ok(None),
        (None, Execution::Ended { .. } | Execution::Unknown) => Err(Stop::dead(run, shown.outcome)),
    }
}

/// How an execution without a run in the ledger ended, if it has ended.
fn not_begun(run: &RunRef, execution: &Execution, unseen: &mut u32) -> Result<Option<Over>, Stop> {
    match execution {
        Execution::Running => Ok(None),
        Execution::Unknown if *unseen < UNSEEN => {
            *unseen += 1;
            Ok(None)
        }
        Execution::Unknown => Err(Stop::refused(format!("there is no {run}"))),
        Execution::Ended { failure: None } => Ok(Some(Over::Unchanged)),
        Execution::Ended { failure: Some((error, cause)) } if error == "Refused" => Err(Stop::refused(cause)),
        Execution::Ended { failure: Some((error, cause)) } => {
            Err(Stop::error(format!("{run} did not begin, and nothing was changed: {error}: {cause}")))
        }
    }
}
