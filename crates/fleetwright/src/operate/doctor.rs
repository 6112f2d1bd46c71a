//! `doctor`: finds what about a fleet is not as declared, and says what fixes it. Changes nothing.

use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use super::{FleetArgs, show};
use crate::{Exit, Streams};
use fleet::{Finding, FleetName, InstanceId, Outcome, Phase, Remedy, Run, Workflow, diagnose};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Diagnosis {
    schema_version: u32,
    fleet: FleetName,
    findings: Vec<Finding>,
}

pub(crate) async fn run(args: &FleetArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    let findings = match stack.blocking_run(&record).await? {
        Some(held_by) => {
            let run = stack.run(&args.fleet, Some(&held_by)).await?.record;
            let lease = record.lock.as_ref().filter(|lock| lock.run == held_by).and_then(|lock| lock.lease);
            about_run(stack, &run, lease).await?
        }
        None => {
            let observed = stack.observe(&args.fleet, None).await?;
            diagnose(&record, &observed, &left_by_last_run(stack, &args.fleet).await?)
        }
    };
    let exit = if findings.is_empty() { Exit::Done } else { Exit::Error };
    let diagnosis = Diagnosis { schema_version: 1, fleet: args.fleet.clone(), findings };
    show(streams, args.output, &diagnosis, text)?;
    Ok(exit)
}

/// Checks the run that blocks the fleet. What a running run changes is no finding; a run that cannot continue is one.
async fn about_run(stack: &Stack, run: &Run, lease: Option<Timestamp>) -> Result<Vec<Finding>, Stop> {
    let state = format!("{} is {}", run.run, run.phase.as_str());
    if run.phase == Phase::Ended(Outcome::Frozen) {
        let why = run.failure.as_deref().unwrap_or("no reason recorded");
        return Ok(vec![Finding { what: format!("{state}: {why}"), remedy: Remedy::Repair }]);
    }
    if !matches!(stack.describe(&ExecutionId::of(run)).await?, Execution::Running) {
        let what = format!("{state}, and its execution has ended");
        return Ok(vec![Finding { what, remedy: Remedy::Repair }]);
    }
    let late = lease.filter(|lease| *lease < stack.now()).map(|lease| Finding {
        what: format!("{state}, but its lease ended at {lease:.0}"),
        remedy: Remedy::Person(format!("inspect the execution {}", run.execution())),
    });
    Ok(late.into_iter().collect())
}

/// The members that the last run to end left in service: the staying members if it reached its goal, the members from before
/// it if not, and both if it was a scale-out.
async fn left_by_last_run(stack: &Stack, fleet: &FleetName) -> Result<Vec<InstanceId>, Stop> {
    let runs = stack.ledger.runs(fleet).await?;
    let Some(last) = runs.into_iter().max_by_key(|run| run.ended.unwrap_or(run.started)) else { return Ok(Vec::new()) };
    let before = async || stack.ledger.before(&last.run).await;
    let mut left = match last.phase {
        Phase::Ended(Outcome::Upgraded | Outcome::Reverted | Outcome::Scaled) => {
            stack.ledger.staying_members(&last.run).await?.ids
        }
        // Released after its commit: what is left are the members that it made.
        _ if last.released.is_some() && last.committed.is_some() => {
            stack.ledger.members_of(&last.run).await?.map(|members| members.ids).unwrap_or_default()
        }
        _ => before().await?.members.into_iter().map(|member| member.id).collect(),
    };
    if (last.workflow, &last.phase) == (Workflow::ScaleOut, &Phase::Ended(Outcome::Scaled)) {
        left.extend(before().await?.members.into_iter().map(|member| member.id));
    }
    Ok(left)
}

fn text(diagnosis: &Diagnosis) -> String {
    if diagnosis.findings.is_empty() {
        return format!("fleet {} is as it should be", diagnosis.fleet);
    }
    let lines = diagnosis.findings.iter().map(|Finding { what, remedy }| match remedy {
        Remedy::Repair => format!("{what}\n    'fleetwright repair' fixes it"),
        Remedy::Person(remedy) => format!("{what}\n    {remedy}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
