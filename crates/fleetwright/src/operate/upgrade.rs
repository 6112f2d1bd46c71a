//! `upgrade`: starts an upgrade and, unless told otherwise, watches it to its end.

use super::plan::{self, UpgradePlan};
use super::stack::{Stack, Started};
use super::stop::Stop;
use super::watch;
use super::{schedule, show};
use crate::cli::{Output, UpgradeArgs, Watching, When};
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{
    Fingerprint, FleetName, FleetRecord, Golden, Observed, Order, Phase, Refusal, RunId, RunRef, Span, Version, admit,
    check_window, expected_length, hop_path, lengths, percentile_95,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is started: a version, or a plan for one.
pub(super) struct Request {
    fleet: FleetName,
    to: Version,
    plan: Option<UpgradePlan>,
}

/// What the arguments and the plan's file ask for.
pub(super) fn read(args: &UpgradeArgs) -> Result<Request, Stop> {
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

pub(super) async fn run(
    Request { fleet, to, plan }: Request,
    stack: &Stack,
    args: &UpgradeArgs,
    streams: &mut Streams<'_>,
) -> Result<Exit, Stop> {
    let record = stack.fleet(&fleet).await?.record;
    if let Some(lock) = &record.lock {
        let going = stack.run(&fleet, Some(&lock.run)).await?.record;
        if going.workflow.scales() && !matches!(going.phase, Phase::Ended(_)) {
            streams.talk(format!("run {} scales fleet {fleet}: the upgrade waits for its end", lock.run));
        } else {
            return Err(Stop::refused(format!(
                "run {} holds fleet {fleet}, {} -> {}, and is {}: 'fleetwright watch --fleet {fleet}' shows it",
                lock.run,
                going.from(),
                going.to,
                going.phase.as_str()
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
    let execution = Started { definition: Definition::UPGRADE, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
}

/// What is scheduled, and why then.
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

/// Schedules an upgrade. Whether it still fits its window is checked once more when it starts.
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
        When::At(moment) => {
            let at =
                moment.next(stack.now()).ok_or_else(|| Stop::bad_input("--when: the calendar ends before that"))?;
            (at.timestamp(), format!("{moment}, as asked for"))
        }
        When::Window => match windows.permits(stack.now(), expected) {
            _ if windows.is_empty() => return Err(Stop::refused("upgrade.windows: the configuration has none")),
            Ok(()) => return Err(Stop::refused("a window is open that it fits into: start it without --when")),
            Err(closed) => {
                let next = closed.next().ok_or_else(|| Stop::from(Refusal::Window(closed)))?;
                (next, "the next window of upgrade.windows opens then".to_owned())
            }
        },
        When::Quiet => {
            let asked = json!({"fleet": fleet, "length_seconds": expected.as_secs()});
            let Quiet { start, because } = stack.ask("quiet-hour", &asked).await?;
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

/// What the function that looks for it answers, as far as it matters here.
#[derive(Deserialize)]
struct Quiet {
    start: Timestamp,
    because: String,
}

/// Says that a run is started, and watches it unless told otherwise.
pub(super) async fn started(
    stack: &Stack,
    run: &RunRef,
    execution: &Started,
    detach: bool,
    watching: &Watching,
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
    streams.talk(format!("{run} is started; it goes on if this command is interrupted"));
    watch::until_over(stack, run, execution, watching, streams).await
}

/// An execution's name, which is the run's: what it is for, and when it was asked for. All fleets share a state machine,
/// and so its executions' names.
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

/// What is not as it was when the plan was made.
fn changes(plan: &UpgradePlan, observed: &Observed, golden: Option<&Golden>) -> String {
    let planned: Vec<_> = plan.members.iter().map(|member| &member.id).collect();
    let found: Vec<_> = observed.tagged.iter().map(|member| &member.id).collect();
    let gone = planned.iter().filter(|id| !found.contains(id)).map(|id| format!("{id} is no longer a member"));
    let new = found.iter().filter(|id| !planned.contains(id)).map(|id| format!("{id} is a new member"));
    let image = golden.filter(|golden| plan.golden != **golden);
    let image = image.map(|golden| format!("the golden image is {} now", golden.image));
    let mut changes: Vec<_> = gone.chain(new).chain(image).collect();
    if changes.is_empty() {
        changes.push("its configuration is another".to_owned());
    }
    format!("fleet {} has changed since the plan was made: {}; make a new plan", plan.fleet, changes.join(", "))
}
