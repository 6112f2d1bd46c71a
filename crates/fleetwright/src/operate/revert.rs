//! `revert`: starts a run that replaces all members with members cloned from a kept image. Nothing bakes. The data stays as
//! it is, and the command says so if a migration went past the image's version.

use super::WatchOptions;
use super::schedule;
use super::stack::{ExecutionId, Stack};
use super::stop::Stop;
use super::upgrade::{run_id, started};
use crate::definition::Definition;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{FleetName, Golden, ImageId, Refusal, RevertTo, Run, RunRef};
use serde_json::json;

/// The kept image to return to.
#[derive(Debug, Args)]
pub(crate) struct RevertArgs {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// The kept image, in quarantine or not. By default, the last one that is known to be good.
    #[arg(long, value_name = "AMI")]
    image: Option<ImageId>,
    /// Return as soon as the run is started, without watching it.
    #[arg(long, conflicts_with = "timeout")]
    detach: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

pub(crate) async fn run(args: &RevertArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
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
        "fleet {} reverts from {}{from} to {} ({})",
        args.fleet,
        record.version(),
        target.version,
        target.image
    ));
    if record.config.upgrade.wanted.is_some() {
        schedule::delete_for_windows(stack, &args.fleet).await?;
        streams.talk("windows no longer start upgrades to upgrade.wanted; 'fleetwright apply' sets that up again");
    }
    let runs = stack.ledger.runs(&args.fleet).await?;
    if let Some(warning) = data_is_ahead(&runs, &target) {
        streams.talk(warning);
    }
    let what = format!("back-to-{}", target.version);
    let run = RunRef { id: run_id(stack, &args.fleet, &what)?, fleet: args.fleet.clone() };
    // By its id, so that the run takes the image that the operator reads about here.
    let execution = ExecutionId { definition: Definition::UPGRADE, name: run.id.clone() };
    stack.start(&execution, &json!({"fleet": run.fleet, "revert": target.image})).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}

/// A warning if the data was migrated past the version that the fleet reverts to.
fn data_is_ahead(runs: &[Run], target: &Golden) -> Option<String> {
    let past = |run: &&Run| run.migrations().iter().any(|version| *version > target.version);
    let latest = runs.iter().flat_map(Run::migrations).filter(|version| **version > target.version).max()?;
    // Only the operator can say which one to restore: the data may have been restored since.
    let backups: Vec<_> =
        runs.iter().filter(past).filter_map(|run| Some(format!("{} ({})", run.backup.as_ref()?, run.run.id))).collect();
    let backups = match backups.is_empty() {
        true => "no run backed it up".to_owned(),
        false => format!("backups from before a migration, the latest first: {}", backups.join("; ")),
    };
    Some(format!(
        "the data stays as it is: it was migrated to {latest}, and {} may not work with it; {backups}",
        target.version
    ))
}
