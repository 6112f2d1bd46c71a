//! `plan`: what an upgrade would do to the fleet as it is now. Only reads, and decides as the run itself does.

use super::show;
use super::stack::Stack;
use super::stop::Stop;
use crate::length::length;
use crate::output::Output;
use crate::rehearse::{self, Ending, Rehearsed};
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    Admission, Budget, Config, DataSource, Fingerprint, FleetName, FleetRecord, Golden, InstanceType, Member, Observed,
    Order, Refusal, Run, Span, Version, Windows, admit, check_window, connections, hop_path, lengths, targets,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SCHEMA_VERSION: u32 = 1;
const WORKFLOW: &str = "upgrade";
/// The number of rehearsals. Of 20, the 95th percentile is not simply the longest.
const SEEDS: u64 = 20;

/// The upgrade to plan.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    to: Version,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// Write the plan to this file. `upgrade --plan` starts it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to print the plan.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What an upgrade would do. `upgrade --plan` starts it if the fleet has not changed since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UpgradePlan {
    pub(super) schema_version: u32,
    pub(super) workflow: String,
    pub(super) fleet: FleetName,
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) hops: Vec<Version>,
    /// Whether the run asks for approval before it deletes the leaving members.
    pub(super) approval: bool,
    /// The leaving members.
    pub(super) members: Vec<Member>,
    /// The golden image. The builder is a clone of it, and the staying members' image is made from the builder.
    pub(super) golden: Golden,
    pub(super) builder_type: InstanceType,
    pub(super) in_service: u32,
    /// The lowest number of members in service while the upgrade goes on.
    pub(super) lowest_in_service: u32,
    /// The most instances that exist at once beside the leaving members: the staying members, and the builder before them.
    pub(super) extra_instances: u32,
    pub(super) connections: Budget,
    pub(super) targets: Budget,
    pub(super) duration: Duration,
    /// The cost of the extra instances and the AWS services, in US dollars, if the run takes as long as the rehearsal.
    pub(super) cost_usd: f64,
    /// The states in order, with the times of the rehearsal.
    pub(super) steps: Vec<PlannedStep>,
    /// The data that the run backs up before the first migration.
    #[serde(default)]
    pub(super) backup: Option<DataSource>,
    /// Why the windows do not permit the upgrade now. `upgrade --plan` checks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) window: Option<String>,
    /// Identifies the fleet's state that the plan was made for.
    pub(super) fingerprint: Fingerprint,
}

/// How long the upgrade is expected to take, and where the figure comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub(super) enum Duration {
    /// From the fleet's past upgrades with the same number of hops.
    PastRuns {
        /// The number of past upgrades.
        runs: usize,
        /// The median of their lengths.
        median_seconds: f64,
        /// The longest of their lengths.
        longest_seconds: f64,
    },
    /// From a rehearsal of this upgrade, because the fleet has had none like it.
    Rehearsal {
        /// The length of the rehearsal, in virtual time.
        seconds: f64,
    },
}

/// One state; its times are in seconds since the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedStep {
    pub(super) name: String,
    pub(super) starts: f64,
    pub(super) lasts: f64,
}

pub(crate) async fn run(args: &PlanArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    if let Some(lock) = &record.lock {
        return Err(Refusal::Locked { fleet: args.fleet.clone(), run: lock.run.clone() }.into());
    }
    let golden = record.to_be_cloned()?.clone();
    let hops = hop_path(golden.version, args.to, &record.config.upgrade.hops)?;
    if hops.is_empty() {
        nothing_to_do(&args.fleet, args.to, args.output, streams);
        return Ok(Exit::Done);
    }
    let observed = stack.observe(&args.fleet, None).await?;
    let admission = admit(&record, &observed, &Order::Upgrade(hops.clone()))?;
    let rehearsed = rehearse_it(rehearsal(&record, &observed, &admission, args.to)).await?;
    let past = stack.ledger.runs(&args.fleet).await?;
    let took = match record.config.upgrade.windows.is_empty() {
        true => Vec::new(),
        false => rehearsed_lengths(&record, &observed, &admission, args.to, &past, hops.len()).await?,
    };
    let window = check_window(&record.config, hops.len(), &past, &took, stack.now());
    let mut plan = plan(record.config, golden, hops, admission, rehearsed, &past);
    plan.window = window.err().map(|refusal| refusal.to_string());
    if let Some(file) = &args.out {
        write(file, &plan)?;
        streams.talk(format!("the plan is in {}: start it with 'fleetwright upgrade --plan {0}'", file.display()));
    }
    show(streams, args.output, &plan, text)?;
    Ok(Exit::Done)
}

/// Says that the fleet is on the wanted version already.
pub(super) fn nothing_to_do(fleet: &FleetName, to: Version, output: Output, streams: &mut Streams<'_>) {
    streams.talk(format!("nothing to do: fleet {fleet} is on {to}"));
    if output == Output::Json {
        streams.data(json!({"schema_version": SCHEMA_VERSION, "fleet": fleet, "to": to, "outcome": "unchanged"}));
    }
}

/// Reads a plan from a file that `plan --out` wrote.
pub(super) fn read(file: &Path) -> Result<UpgradePlan, Stop> {
    let named = |problem: &dyn std::fmt::Display| Stop::bad_input(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    let plan: UpgradePlan = serde_json::from_str(&text)
        .map_err(|error| named(&format!("not a plan of this release's 'fleetwright plan --out': {error}")))?;
    if (plan.schema_version, plan.workflow.as_str()) != (SCHEMA_VERSION, WORKFLOW) {
        let (version, workflow) = (plan.schema_version, &plan.workflow);
        let what = format!(
            "a plan of version {version} for '{workflow}'; this release starts plans of version {SCHEMA_VERSION} for '{WORKFLOW}'"
        );
        return Err(named(&what));
    }
    Ok(plan)
}

fn write(file: &Path, plan: &UpgradePlan) -> Result<(), Stop> {
    let json = serde_json::to_string_pretty(plan).map_err(|error| Stop::error(error.to_string()))?;
    std::fs::write(file, json + "\n").map_err(|error| Stop::error(format!("{}: {error}", file.display())))
}

/// How long this upgrade takes in rehearsals, one per seed. Empty if past upgrades say how long it takes.
pub(super) async fn rehearsed_lengths(
    record: &FleetRecord,
    observed: &Observed,
    admission: &Admission,
    to: Version,
    past: &[Run],
    hops: usize,
) -> Result<Vec<Span>, Stop> {
    if !lengths(past, hops).is_empty() {
        return Ok(Vec::new());
    }
    let mut took = Vec::new();
    for seed in 1..=SEEDS {
        let mut plan = rehearsal(record, observed, admission, to);
        plan.config.rehearsal.seed = seed;
        let rehearsed = rehearse_it(plan).await?;
        // The limits of its waits bound a rehearsal to some months, so the seconds fit.
        took.push(Span::seconds(rehearsed.virtual_seconds.ceil() as u32));
    }
    Ok(took)
}

/// The same upgrade of the same fleet, in the simulated AWS.
fn rehearsal(record: &FleetRecord, observed: &Observed, admission: &Admission, to: Version) -> rehearse::RehearsalSpec {
    let mut config: Config = record.config.clone();
    config.fleet.size = admission.size;
    config.fleet.version = record.version();
    config.fleet.golden_image = record.golden.as_ref().map(|golden| golden.image.clone());
    config.rehearsal.deregistration_delay = observed.drain;
    // A rehearsal begins at a fixed time, so windows would refuse it.
    config.upgrade.windows = Windows::default();
    rehearse::RehearsalSpec::new(config, rehearse::Goal::Upgrade { to })
}

async fn rehearse_it(plan: rehearse::RehearsalSpec) -> Result<Rehearsed, Stop> {
    // On its own thread, because it runs in virtual time.
    let rehearsed = tokio::task::spawn_blocking(move || rehearse::rehearse(&plan, &mut |_| {})).await;
    let rehearsed = rehearsed.map_err(|error| Stop::error(format!("the rehearsal: {error}")))?;
    let rehearsed = rehearsed.map_err(|error| Stop::error(error.to_string()))?;
    match (&rehearsed.outcome, &rehearsed.reason) {
        (Ending::Upgraded, _) => Ok(rehearsed),
        (outcome, reason) => {
            let reason = reason.as_deref().unwrap_or("no reason given");
            Err(Stop::refused(format!("this upgrade does not succeed in a rehearsal ({outcome:?}): {reason}")))
        }
    }
}

fn plan(
    config: Config,
    golden: Golden,
    hops: Vec<Version>,
    admission: Admission,
    rehearsed: Rehearsed,
    past: &[Run],
) -> UpgradePlan {
    UpgradePlan {
        schema_version: SCHEMA_VERSION,
        workflow: WORKFLOW.to_owned(),
        fleet: config.fleet.name,
        from: golden.version,
        to: rehearsed.to,
        approval: config.upgrade.approval,
        members: admission.before.members,
        golden,
        builder_type: config.builder.instance_type,
        in_service: rehearsed.capacity.floor,
        lowest_in_service: rehearsed.capacity.lowest,
        extra_instances: admission.size.saturating_add(1),
        connections: connections(admission.size, &config.database),
        targets: targets(admission.size, config.load_balancer.target_quota),
        duration: duration(past, hops.len(), rehearsed.virtual_seconds),
        cost_usd: rehearsed.cost_usd,
        steps: rehearsed
            .steps
            .into_iter()
            .map(|step| PlannedStep { name: step.name, starts: step.started, lasts: step.ended - step.started })
            .collect(),
        hops,
        window: None,
        backup: config.backup,
        fingerprint: admission.fingerprint,
    }
}

fn duration(past: &[Run], hops: usize, rehearsed: f64) -> Duration {
    let mut took = lengths(past, hops);
    took.sort_unstable();
    let seconds = |span: Span| f64::from(span.as_secs());
    match took.last() {
        None => Duration::Rehearsal { seconds: rehearsed },
        Some(longest) => Duration::PastRuns {
            runs: took.len(),
            median_seconds: seconds(took[took.len() / 2]),
            longest_seconds: seconds(*longest),
        },
    }
}

fn text(plan: &UpgradePlan) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, plan);
    out
}

fn write_text(out: &mut String, p: &UpgradePlan) -> std::fmt::Result {
    let hops = p.hops.iter().map(Version::to_string).collect::<Vec<_>>().join(", ");
    writeln!(out, "upgrade of fleet {}, {} -> {}: installs {hops} in this order", p.fleet, p.from, p.to)?;
    let zones = |zone: &fleet::Zone| p.members.iter().filter(|member| member.zone == *zone).count();
    let mut spread: Vec<_> = p.members.iter().map(|member| &member.zone).collect();
    spread.sort();
    spread.dedup();
    let spread = spread.into_iter().map(|zone| format!("{} in {zone}", zones(zone))).collect::<Vec<_>>().join(", ");
    writeln!(out, "  members      {} are replaced: {spread}", p.members.len())?;
    for member in p.members.iter().take(10) {
        writeln!(out, "               {} {} {}", member.id, member.image, member.zone)?;
    }
    if p.members.len() > 10 {
        writeln!(out, "               and {} more", p.members.len() - 10)?;
    }
    writeln!(
        out,
        "  builder      one {}, a clone of {}; the staying members are cloned from its image",
        p.builder_type, p.golden.image
    )?;
    match &p.duration {
        Duration::PastRuns { runs, median_seconds, longest_seconds } => writeln!(
            out,
            "  takes        about {}, at most {} so far, from {runs} past upgrade{} with as many hops",
            length(*median_seconds),
            length(*longest_seconds),
            if *runs == 1 { "" } else { "s" }
        )?,
        Duration::Rehearsal { seconds } => {
            let how = "from a rehearsal, because this fleet has had no such upgrade yet";
            writeln!(out, "  takes        about {}, {how}", length(*seconds))?;
        }
    }
    writeln!(out, "  capacity     {} in service, never below {}", p.in_service, p.lowest_in_service)?;
    writeln!(out, "  extra        at most {} instances, about ${:.2}", p.extra_instances, p.cost_usd)?;
    let Budget { needed, available } = p.connections;
    writeln!(out, "  connections  {needed} of {available} at most")?;
    let Budget { needed, available } = p.targets;
    writeln!(out, "  targets      {needed} of {available} at most")?;
    match &p.backup {
        Some(data) => writeln!(out, "  backup       of {data}, before the first migration")?,
        None => {
            writeln!(out, "  backup       none: the configuration has no [backup], and nothing undoes a migration")?
        }
    }
    if let Some(window) = &p.window {
        writeln!(out, "  window       not now: {window}")?;
    }
    let approval = if p.approval { "required before the leaving members are deleted" } else { "not required" };
    writeln!(out, "  approval     {approval}")?;
    writeln!(out, "  steps")?;
    for step in &p.steps {
        writeln!(out, "    at {:>7}  {} ({})", length(step.starts), step.name, length(step.lasts))?;
    }
    Ok(())
}
