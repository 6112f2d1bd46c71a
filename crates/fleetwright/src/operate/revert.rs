//! `rollback`: back to an image that is kept, as a run of its own: new members from it, in, healthy, the present ones out
//! and deleted; nothing bakes. The data stays as it is, and the command says what that means.

use super::schedule;
use super::stack::{Stack, Started};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::cli::Revert;
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{Golden, Refusal, RevertTo, Run, RunRef};
use serde_json::json;

pub(super) async fn run(stack: &Stack, args: &Revert, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let record = stack.fleet(&args.fleet).await?.record;
    if let Some(lock) = &record.lock {
        return Err(Refusal::Locked { fleet: args.fleet.clone(), run: lock.run.clone() }.into());
    }
    let wanted = args.image.clone().map_or(RevertTo::LastGood, RevertTo::Named);
    let target = record.kept(&wanted)?;
    if Some(&target) == record.golden.as_ref() {
        streams.talk(format!("nothing to do: fleet {} is on {}", args.fleet, target.image));
        return Ok(Exit::Done);
    }
    let from = record.golden.as_ref().map(|golden| format!(" ({})", golden.image)).unwrap_or_default();
    streams.talk(format!(
        "fleet {} goes back from {}{from} to {} ({})",
        args.fleet,
        record.version(),
        target.version,
        target.image
    ));
    if record.config.upgrade.wanted.is_some() {
        schedule::forget(stack, &args.fleet).await?;
        streams.talk("no window picks up upgrade.wanted any more; 'fleetwright apply' lets them again");
    }
    let runs = stack.ledger.runs(&args.fleet).await?;
    if let Some(warning) = data_is_ahead(&runs, &target) {
        streams.talk(warning);
    }
    let what = format!("back-to-{}", target.version);
    let run = RunRef { id: run_id(stack, &args.fleet, &what)?, fleet: args.fleet.clone() };
    // By its id: the image that was read about here is the one that is taken.
    let execution = Started { definition: Definition::UPGRADE, name: run.id.clone() };
    stack.start(&execution, &json!({"fleet": run.fleet, "revert": target.image})).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}

/// What to know if the data was migrated past the version that the fleet goes back to.
fn data_is_ahead(runs: &[Run], target: &Golden) -> Option<String> {
    let past = |run: &&Run| run.migrations().iter().any(|version| *version > target.version);
    let latest = runs.iter().flat_map(Run::migrations).filter(|version| **version > target.version).max()?;
    // Which of them is the one to restore is the operator's to say: data may have been restored since.
    let backups: Vec<_> =
        runs.iter().filter(past).filter_map(|run| Some(format!("{} ({})", run.backup.as_ref()?, run.run.id))).collect();
    let backups = match backups.is_empty() {
        true => "no run made a backup of it".to_owned(),
        false => format!("its backups before a migration, the latest first: {}", backups.join("; ")),
    };
    Some(format!(
        "the data stays as it is: it was migrated to {latest}, and {} may not work on it; {backups}",
        target.version
    ))
}
