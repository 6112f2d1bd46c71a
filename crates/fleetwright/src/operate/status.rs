//! `status`: a fleet as the ledger and AWS have it now.

use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use super::{FleetArgs, show};
use crate::{Exit, Streams};
use fleet::{FleetName, Golden, KeptImage, Observed, Order, Outcome, Phase, Release, Run, RunId, Version, admit};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct Status {
    schema_version: u32,
    fleet: FleetName,
    version: Version,
    golden: Option<Golden>,
    /// The image that `fleetwright revert` returns to by default.
    previous: Option<KeptImage>,
    in_service: usize,
    observed: Observed,
    /// The run that holds the lock.
    run: Option<HoldingRun>,
    /// The last run, if an operator released the fleet from it and no run has begun since.
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<ReleasedRun>,
    /// Why an upgrade would be refused now, or why the run cannot continue.
    problem: Option<String>,
}

#[derive(Serialize)]
struct ReleasedRun {
    run: RunId,
    #[serde(flatten)]
    release: Release,
}

#[derive(Serialize)]
struct HoldingRun {
    run: RunId,
    to: Version,
    phase: &'static str,
    started: Timestamp,
    /// The state that it is in, and what it waits for.
    doing: Option<String>,
}

pub(crate) async fn run(args: &FleetArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    let observed = stack.observe(&args.fleet, None).await?;
    let (run, problem) = match &record.lock {
        None => (None, admit(&record, &observed, &Order::Upgrade(Vec::new())).err().map(|refusal| refusal.to_string())),
        Some(lock) => {
            let run = stack.run(&args.fleet, Some(&lock.run)).await?.record;
            let problem = why_stuck(stack, &run).await?;
            let doing = stack.current_state(&ExecutionId::of(&run)).await?;
            let Run { run, to, phase, started, .. } = run;
            (Some(HoldingRun { run: run.id, to, phase: phase.as_str(), started, doing }), problem)
        }
    };
    let released = match &record.lock {
        None => stack.ledger.runs(&args.fleet).await?.into_iter().next(),
        Some(_) => None,
    };
    let released = released.and_then(|last| Some(ReleasedRun { run: last.run.id, release: last.released? }));
    let status = Status {
        schema_version: 1,
        fleet: args.fleet.clone(),
        version: record.version(),
        golden: record.golden.clone(),
        previous: record.last_good().cloned(),
        in_service: observed.in_service(),
        observed,
        run,
        released,
        problem,
    };
    show(streams, args.output, &status, text)?;
    Ok(Exit::Done)
}

/// Why the run that holds the lock cannot continue, if it cannot. What a running run changes is no problem.
async fn why_stuck(stack: &Stack, run: &Run) -> Result<Option<String>, Stop> {
    if run.phase == Phase::Ended(Outcome::Frozen) {
        let why = run.failure.as_deref().unwrap_or("no reason recorded");
        return Ok(Some(format!("frozen, because {why}; see docs/runbook/frozen.md")));
    }
    let running = matches!(stack.describe(&ExecutionId::of(run)).await?, Execution::Running);
    Ok((!running).then(|| Stop::dead(&run.run, run.phase.as_str()).to_string()))
}

fn text(status: &Status) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, status);
    out
}

fn write_text(out: &mut String, s: &Status) -> std::fmt::Result {
    let tagged = s.observed.tagged.len();
    writeln!(out, "fleet {} is on {}, {} of {tagged} members in service", s.fleet, s.version, s.in_service)?;
    let image = s.golden.as_ref().map_or_else(|| "none yet".to_owned(), |golden| golden.image.to_string());
    writeln!(out, "  image     {image}")?;
    if let Some(KeptImage { image, version, .. }) = &s.previous {
        writeln!(out, "  previous  {image} ({version})")?;
    }
    for member in &s.observed.tagged {
        writeln!(out, "  member    {} {} {} {}", member.id, member.image, member.zone, member.health)?;
    }
    for target in &s.observed.untagged_targets {
        writeln!(out, "  untagged  {target} receives traffic without the load-balancer tag")?;
    }
    match &s.run {
        None => writeln!(out, "  run       none")?,
        Some(run) => {
            let doing = run.doing.as_ref().map(|doing| format!(": {doing}")).unwrap_or_default();
            writeln!(out, "  run       {} to {} since {:.0}, {}{doing}", run.run, run.to, run.started, run.phase)?;
        }
    }
    if let Some(ReleasedRun { run, release: Release { by, at } }) = &s.released {
        writeln!(out, "  released  {run} by {by} at {at:.0}: 'fleetwright doctor' finds what it left")?;
    }
    if let Some(problem) = &s.problem {
        writeln!(out, "  problem   {problem}")?;
    }
    Ok(())
}
