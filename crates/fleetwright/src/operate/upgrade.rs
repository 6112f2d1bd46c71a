//! `upgrade`: starts an upgrade and, unless told otherwise, watches it to its end.

use super::plan::{self, Plan};
use super::stack::{Stack, Started};
use super::stop::Stop;
use super::watch;
use crate::cli::{Output, UpgradeArgs, Watching};
use crate::definition::Definition;
use crate::{Exit, Streams};
use fleet::{
    Fingerprint, FleetName, Observed, Order, Phase, RunId, RunRef, Span, Version, admit, check_window, hop_path, percentile_95,
};
use serde_json::{Value, json};

/// What is started: a version, or a plan for one.
pub(super) struct Request {
    fleet: FleetName,
    to: Version,
    plan: Option<Plan>,
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
            going.golden.version,
            going.to,
            going.phase.as_str()
        )));
        }
    }
    let hops = hop_path(record.golden.version, to, &record.config.upgrade.hops)?;
    if hops.is_empty() {
        plan::nothing_to_do(&fleet, to, args.watching.output, streams);
        return Ok(Exit::Done);
    }
    let windows = !record.config.upgrade.windows.is_empty();
    let mut takes = None;
    if plan.is_some() || windows {
        let observed = stack.observe(&fleet, None).await?;
        let now = admit(&record, &observed, &Order::Upgrade(hops.clone()))?;
        if let Some(plan) = plan.as_ref().filter(|plan| plan.fingerprint != now.fingerprint) {
            return Err(Stop::refused(changes(plan, &observed, &now.before.golden.image)));
        }
        let past = stack.ledger.runs(&fleet).await?;
        let took = plan::rehearsed_lengths(&record, &observed, &now, to, &past, hops.len()).await?;
        check_window(&record.config, hops.len(), &past, &took, stack.now())?;
        takes = percentile_95(&took);
    }
    let run = RunRef { id: run_id(stack, &fleet, &to)?, fleet };
    let input = request(&run, to, args.approval, plan.map(|plan| plan.fingerprint), takes);
    let execution = Started { definition: Definition::UPGRADE, name: run.id.clone() };
    stack.start(&execution, &input).await?;
    started(stack, &run, &execution, args.detach, &args.watching, streams).await
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
fn changes(plan: &Plan, observed: &Observed, golden: &fleet::ImageId) -> String {
    let planned: Vec<_> = plan.members.iter().map(|member| &member.id).collect();
    let found: Vec<_> = observed.tagged.iter().map(|member| &member.id).collect();
    let gone = planned.iter().filter(|id| !found.contains(id)).map(|id| format!("{id} is no longer a member"));
    let new = found.iter().filter(|id| !planned.contains(id)).map(|id| format!("{id} is a new member"));
    let image = (plan.golden.image != *golden).then(|| format!("the golden image is {golden} now"));
    let mut changes: Vec<_> = gone.chain(new).chain(image).collect();
    if changes.is_empty() {
        changes.push("its configuration is another".to_owned());
    }
    format!("fleet {} has changed since the plan was made: {}; make a new plan", plan.fleet, changes.join(", "))
}
