//! `apply`: checks a fleet's configuration, also against AWS, and stores it in the ledger. It also sets up what starts runs
//! of the fleet automatically: the alarms for scaling, and the schedules for a wanted version.

use super::stack::Stack;
use super::stop::Stop;
use super::{alarms, plan, schedule, show};
use crate::output::Output;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    Admission, Config, FleetName, FleetRecord, Golden, Observed, Order, Span, Version, admit, hop_path, percentile_95,
};
use functions::StepError;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The configuration to apply.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The fleet's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct Applied {
    schema_version: u32,
    fleet: FleetName,
    what: What,
    /// The golden image in the ledger. After the first run that made one, the file's `fleet.golden_image` no longer counts.
    golden: Option<Golden>,
    version: Version,
    in_service: usize,
    /// What the operator should know, including why an upgrade would be refused now.
    notes: Vec<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum What {
    Created,
    Changed,
    Unchanged,
}

/// Reads and checks the file.
fn read(file: &Path) -> Result<Config, Stop> {
    let named = |problem: &dyn std::fmt::Display| Stop::bad_input(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    Config::from_toml(&text).map_err(|error| named(&error))
}

pub(crate) async fn run(args: &ApplyArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    // Before any AWS call, so that a mistake in the file is reported first.
    let config = &read(&args.config)?;
    let stack = &Stack::connect().await?;
    let name = &config.fleet.name;
    let observed = stack.observe(name, Some(config)).await?;
    let (what, record) = stack.retry_on_conflict(async || store(stack, config).await).await?;
    alarms::put(stack, config).await?;
    let mut notes = Vec::new();
    let declared = config.fleet.golden_image.as_ref();
    if let Some(Golden { image, version, .. }) = &record.golden
        && (declared.is_some_and(|declared| declared != image) || *version != config.fleet.version)
    {
        let declared = declared.map(|declared| format!("{declared} and ")).unwrap_or_default();
        notes.push(format!(
            "fleet.golden_image, fleet.version: a run has set them to {image} and {version}; {declared}{} in the file has no effect",
            config.fleet.version
        ));
    }
    if let Some(lock) = &record.lock {
        notes.push(format!("run {} holds the lock and keeps the configuration that it began with", lock.run));
    }
    let takes = match admit(&record, &observed, &Order::Upgrade(Vec::new())) {
        Ok(admission) => wanted_takes(stack, &record, &observed, &admission, &mut notes).await?,
        Err(refusal) => {
            notes.push(format!("an upgrade would be refused now: {refusal}"));
            None
        }
    };
    schedule::put_for_windows(stack, config, takes).await?;
    let applied = Applied {
        schema_version: 1,
        fleet: name.clone(),
        what,
        version: record.version(),
        golden: record.golden,
        in_service: observed.in_service(),
        notes,
    };
    show(streams, args.output, &applied, text)?;
    Ok(Exit::Done)
}

/// How long the upgrade to `upgrade.wanted` takes in rehearsals. `None` if none is wanted, it is not possible, or past
/// upgrades say how long it takes.
async fn wanted_takes(
    stack: &Stack,
    record: &FleetRecord,
    observed: &Observed,
    admission: &Admission,
    notes: &mut Vec<String>,
) -> Result<Option<Span>, Stop> {
    let Some(wanted) = record.config.upgrade.wanted else { return Ok(None) };
    let hops = match hop_path(record.version(), wanted, &record.config.upgrade.hops) {
        Ok(hops) if hops.is_empty() => return Ok(None),
        Ok(hops) => hops,
        Err(refusal) => {
            notes.push(format!("upgrade.wanted: {refusal}"));
            return Ok(None);
        }
    };
    let past = stack.ledger.runs(record.name()).await?;
    let took = plan::rehearsed_lengths(record, observed, admission, wanted, &past, hops.len()).await?;
    notes.push(format!("the next window of upgrade.windows starts an upgrade to {wanted}, in {} hops", hops.len()));
    Ok(percentile_95(&took))
}

/// Stores the configuration. Until the first run that makes a golden image, the file also sets the golden image.
async fn store(stack: &Stack, config: &Config) -> Result<(What, FleetRecord), Stop> {
    let Some(mut found) = stack.ledger.fleet(&config.fleet.name).await? else {
        let record = FleetRecord::new(config.clone());
        return match stack.ledger.create_fleet(&record).await? {
            true => Ok((What::Created, record)),
            false => Err(StepError::Interrupted("another process recorded the fleet meanwhile".to_owned()).into()),
        };
    };
    let before = found.record.clone();
    // The ledger does not store the file's `rehearsal` section.
    found.record.config = Config { rehearsal: before.config.rehearsal.clone(), ..config.clone() };
    if before.golden == FleetRecord::new(before.config.clone()).golden && before.lock.is_none() {
        found.record.golden = FleetRecord::new(config.clone()).golden;
    }
    if found.record == before {
        return Ok((What::Unchanged, before));
    }
    stack.ledger.write(&mut found).await?;
    Ok((What::Changed, found.record))
}

fn text(applied: &Applied) -> String {
    let Applied { fleet, golden, version, in_service, .. } = applied;
    let image = golden.as_ref().map_or_else(|| "no golden image".to_owned(), |golden| golden.image.to_string());
    let what = match applied.what {
        What::Created => "is recorded",
        What::Changed => "has a new configuration",
        What::Unchanged => "already has this configuration",
    };
    let mut text = format!("fleet {fleet} {what}: {version} on {image}, {in_service} in service");
    for note in &applied.notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    text
}
