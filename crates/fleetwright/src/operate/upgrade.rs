//! `upgrade`: starts or schedules an upgrade and, by default, watches it until it ends.

use super::plan::{self, UpgradePlan};
use super::stack::{ExecutionId, Stack};
use super::stop::Stop;
use super::watch;
use super::{WatchOptions, schedule, show};
use crate::definition::Definition;
use crate::output::Output;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    Fingerprint, FleetName, FleetRecord, Golden, Observed, Order, Phase, Refusal, RunId, RunRef, Span, Version,
    WeeklyTime, admit, check_window, expected_length, hop_path, lengths, percentile_95,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The upgrade to start.
#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: Option<FleetName>,
    /// Start the plan in this file, from `plan --out`. Refused if the fleet has changed since.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Schedule the upgrade instead of starting it now: `quiet` is the quietest window by the load balancer's request counts,
    /// `window` is the next window of `upgrade.windows`.
    #[arg(long, value_name = "quiet|window|'sun 03:00 Europe/Berlin'", conflicts_with_all = ["plan", "timeout"])]
    when: Option<When>,
    /// Whether the run asks for approval before it deletes the leaving members. By default, as `upgrade.approval` in the
    /// configuration.
    #[arg(long, value_name = "true|false")]
    approval: Option<bool>,
    /// Return as soon as the run is started, without watching it.
    #[arg(long, conflicts_with = "timeout")]
    detach: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

/// When a scheduled upgrade starts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    /// In the quietest window of the coming week.
    Quiet,
    /// When the next window that is long enough opens.
    Window,
    /// At the next occurrence of a weekly time.
    At(WeeklyTime),
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "quiet" => Ok(Self::Quiet),
            "window" => Ok(Self::Window),
            time => time.parse().map(Self::At).map_err(|error| format!("{error}, or 'quiet' or 'window'")),
        }
    }
}

/// What to start: an upgrade to a version, with its plan if there is one.
struct Request {
    fleet: FleetName,
    to: Version,
    plan: Option<UpgradePlan>,
}

/// The upgrade that the arguments and the plan's file name.
fn read(args: &UpgradeArgs) -> Result<Request, Stop> {
    let Some(file) = &args.plan else {
        let missing = |what: &str| Stop::bad_input(format!("{what} is missing: name it, or a plan with --plan"));
        let fleet = args.fleet.clone().ok_or_else(|| missing("--fleet"))?;
        return Ok(Request { fleet, to: args.to.ok_or_else(|| missing("--to"))?, plan: None });
    };
    let plan = plan::read(file)?;
    let differs = |what: &str, planned: &dyn std::fmt::Display| {
        Stop::bad_input(format!("{what} is not what {} was made for: {planned}", file.display()))
    };
    if args.fleet.as_ref().is_some_and(|fleet| *fleet != plan.fleet) {
        return Err(differs("--fleet", &plan.fleet));
    }
    if args.to.is_some_and(|to| to != plan.to) {
        return Err(differs("--to", &plan.to));
    }
    Ok(Request { fleet: plan.fleet.clone(), to: plan.to, plan: Some(plan) })
}

pub(crate) async fn run(args: &UpgradeArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let Request { fleet, to, plan } = read(args)?;
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&fleet).await?.record;
    if let Some(lock) = &record.lock {
        let holder = stack.run(&fleet, Some(&lock.run)).await?.record;
        if holder.workflow.scales() && !matches!(holder.phase, Phase::Ended(_)) {
            streams.talk(format!("run {} scales fleet {fleet}: the upgrade waits for its end", lock.run));
        } else {
            return Err(Stop::refused(format!(
                "run {} holds the lock of fleet {fleet}, {} -> {}, and is {}: 'fleetwright watch --fleet {fleet}' shows it",
                lock.run,
                holder.from(),
                holder.to,
                holder.phase.as_str()
            )));
        }
    }
    let hops = hop_path(record.to_be_cloned()?.version, to, &record.config.upgrade.hops)?;
    if hops.is_empty() {
        plan::nothing_to_do(&fleet, to, args.watching.output, streams);
        return Ok(Exit::Done);
    }
    if let Some(when) = &args.when {
        return later(stack, &record, to, hops, when, args, streams).await;
    }
    let windows = !record.config.upgrade.windows.is_empty();
    let mut takes = None;
    if plan.is_some() || windows {
        let observed = stack.observe(&fleet, None).await?;
        let now = admit(&record, &observed, &Order::Upgrade(hops.clone()))?;
        if let Some(plan) = plan.as_ref().filter(|plan| plan.fingerprint != now.fingerprint) {
            return Err(Stop::refused(changes(plan, &observed, now.before.golden.as_ref())));
        }
        let past = stack.ledger.runs(&fleet).await?;
        let took = match windows {
            true => plan::rehearsed_lengths(&record, &observed, &now, to, &past, hops.len()).await?,
            false => Vec::new(),
        };
        check_window(&record.config, hops.len(), &past, &took, stack.now())?;
        takes = percentile_95(&took);
    }
    let run = RunRef { id: run_id(stack, &fleet, &to)?, fleet };
    let input = request(&run, to, args.approval, plan.map(|plan| plan.fingerprint), takes);
    let execution = ExecutionId { definition: Definition::UPGRADE, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}

/// A scheduled upgrade, and why it starts at that time.
#[derive(Serialize)]
struct Scheduled {
    schema_version: u32,
    fleet: FleetName,
    to: Version,
    schedule: String,
    starts: Timestamp,
    expected_seconds: u32,
    because: String,
}

/// Schedules an upgrade. When it starts, the run checks again whether it fits its window.
async fn later(
    stack: &Stack,
    record: &FleetRecord,
    to: Version,
    hops: Vec<Version>,
    when: &When,
    args: &UpgradeArgs,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    let (fleet, windows) = (record.name(), &record.config.upgrade.windows);
    let observed = stack.observe(fleet, None).await?;
    let past = stack.ledger.runs(fleet).await?;
    let admission = admit(record, &observed, &Order::Upgrade(hops.clone()))?;
    let rehearsed = plan::rehearsed_lengths(record, &observed, &admission, to, &past, hops.len()).await?;
    let expected = expected_length(&lengths(&past, hops.len()), &rehearsed).ok_or(Refusal::UnknownLength)?.length();
    let (starts, because) = match when {
        When::At(time) => {
            let at = time.next(stack.now()).ok_or_else(|| Stop::bad_input("--when: the calendar ends before that"))?;
            (at.timestamp(), format!("{time}, as ordered"))
        }
        When::Window => match windows.permits(stack.now(), expected) {
            _ if windows.is_empty() => return Err(Stop::refused("upgrade.windows: the configuration has none")),
            Ok(()) => return Err(Stop::refused("a window is open in which it fits: start it without --when")),
            Err(closed) => {
                let next = closed.next().ok_or_else(|| Stop::from(Refusal::Window(closed)))?;
                (next, "the next window of upgrade.windows opens then".to_owned())
            }
        },
        When::Quiet => {
            let input = json!({"fleet": fleet, "length_seconds": expected.as_secs()});
            let Quiet { start, because } = stack.invoke("quiet-hour", &input).await?;
            (start, because)
        }
    };
    windows.permits(starts, expected).map_err(Refusal::Window)?;
    let schedule = run_id(stack, fleet, &to)?.to_string();
    let mut input = schedule::request(fleet, to, percentile_95(&rehearsed));
    if let Some(approval) = args.approval {
        input["approval"] = approval.into();
    }
    if !windows.is_empty() {
        input["waits"] = true.into();
    }
    schedule::once(stack, &schedule, starts, &input).await?;
    let expected_seconds = expected.as_secs();
    let fleet = fleet.clone();
    let scheduled = Scheduled { schema_version: 1, fleet, to, schedule, starts, expected_seconds, because };
    show(streams, args.watching.output, &scheduled, |it| {
        let took = Span::seconds(it.expected_seconds);
        format!(
            "the upgrade of fleet {} to {} starts at {} and takes about {took}: {}\n(schedule {} of the group fleetwright)",
            it.fleet, it.to, it.starts, it.because, it.schedule
        )
    })?;
    Ok(Exit::Done)
}

/// The answer of the function `quiet-hour`, as far as this command needs it.
#[derive(Deserialize)]
struct Quiet {
    start: Timestamp,
    because: String,
}

/// Says that a run is started, and watches it unless `detach`.
pub(super) async fn started(
    stack: &Stack,
    run: &RunRef,
    execution: &ExecutionId,
    detach: bool,
    watching: &WatchOptions,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    if detach {
        match watching.output {
            Output::Text => streams.data(&run.id),
            Output::Json => streams.data(json!({"schema_version": 1, "run": run.id, "fleet": run.fleet})),
        }
        streams.talk(format!("{run} is started; 'fleetwright watch {} --fleet {}' shows it", run.id, run.fleet));
        return Ok(Exit::Done);
    }
    streams.talk(format!("{run} is started; it continues if this command is interrupted"));
    watch::until_over(stack, run, execution, watching, streams).await
}

/// The name of a new run and of its execution: the fleet, what the run is for, and the time. All fleets share a state machine,
/// so the fleet is in the name.
pub(super) fn run_id(stack: &Stack, fleet: &FleetName, what: &dyn std::fmt::Display) -> Result<RunId, Stop> {
    let id = format!("{fleet}-{what}-{}", stack.now().strftime("%Y%m%d-%H%M%S")).replace('.', "-");
    id.parse().map_err(|error: fleet::InvalidId| Stop::error(error.to_string()))
}

fn request(run: &RunRef, to: Version, approval: Option<bool>, plan: Option<Fingerprint>, takes: Option<Span>) -> Value {
    let mut request = json!({"fleet": run.fleet, "to": to});
    if let Some(approval) = approval {
        request["approval"] = approval.into();
    }
    if let Some(plan) = plan {
        request["plan"] = plan.as_str().into();
    }
    if let Some(takes) = takes {
        request["takes_seconds"] = takes.as_secs().into();
    }
    request
}

/// What has changed since the plan was made.
fn changes(plan: &UpgradePlan, observed: &Observed, golden: Option<&Golden>) -> String {
    let planned: Vec<_> = plan.members.iter().map(|member| &member.id).collect();
    let found: Vec<_> = observed.tagged.iter().map(|member| &member.id).collect();
    let gone = planned.iter().filter(|id| !found.contains(id)).map(|id| format!("{id} is no longer a member"));
    let new = found.iter().filter(|id| !planned.contains(id)).map(|id| format!("{id} is a new member"));
    let image = golden.filter(|golden| plan.golden != **golden);
    let image = image.map(|golden| format!("the golden image is now {}", golden.image));
    let mut changes: Vec<_> = gone.chain(new).chain(image).collect();
    if changes.is_empty() {
        changes.push("its configuration is different".to_owned());
    }
    format!("fleet {} has changed since the plan was made: {}; make a new plan", plan.fleet, changes.join(", "))
}
