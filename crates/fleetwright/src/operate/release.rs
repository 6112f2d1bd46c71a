//! `release`: ends a frozen or dead run in the ledger and frees its fleet, without touching AWS resources. It says what it
//! will do and what of the run stays on AWS; `--yes` does it.

use super::show;
use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use crate::output::Output;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    Before, FleetName, FleetRecord, Golden, Health, Observed, Outcome, Phase, Release, Role, Run, RunId, Version,
};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;

/// The run to release.
#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// The run that keeps the fleet locked.
    run: RunId,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// Release. Without this, the command only says what it would do.
    #[arg(long)]
    yes: bool,
    /// How to print what is or would be released.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What is or would be released, and what stays.
#[derive(Serialize)]
struct Released {
    schema_version: u32,
    run: RunId,
    fleet: FleetName,
    /// The run's phase before the release.
    phase: &'static str,
    failure: Option<String>,
    /// Whether the run is committed: then `repair` would finish it.
    committed: bool,
    /// Who released the run and when. `None` without `--yes`.
    released: Option<Release>,
    /// The run that keeps the fleet locked after the release: one that the released run joined, or that joined it.
    still_blocked_by: Option<RunId>,
    /// The golden image, which the release does not change.
    golden: Option<Golden>,
    /// What of the run stays on AWS, and which members it took out of service.
    stays: Vec<Staying>,
    /// Why `stays` is not known.
    stays_unknown: Option<String>,
    /// The versions to which the run began to migrate the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    migrations: Vec<Version>,
}

/// Something on AWS that the release leaves as it is.
#[derive(Debug, Serialize, PartialEq)]
struct Staying {
    what: What,
    id: String,
    /// Whether an instance receives traffic. `None` for what is no instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_service: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum What {
    /// The run's builder.
    Builder,
    /// A member that the run made.
    MadeMember,
    /// An image that the run made.
    Image,
    /// A snapshot of such an image.
    Snapshot,
    /// A member from before the run that is not in service.
    MemberFromBefore,
}

impl What {
    fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::MadeMember => "member that the run made",
            Self::Image => "image that the run made",
            Self::Snapshot => "snapshot that the run made",
            Self::MemberFromBefore => "member from before the run",
        }
    }
}

pub(crate) async fn run(args: &ReleaseArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let released = stack.retry_on_conflict(async || release(stack, args).await).await?;
    show(streams, args.output, &released, text)?;
    let ReleaseArgs { run, fleet, .. } = args;
    streams.talk(match args.yes {
        true => format!("'fleetwright doctor --fleet {fleet}' finds what to clean up"),
        false => format!("nothing is changed yet: 'fleetwright release {run} --fleet {fleet} --yes' does it"),
    });
    Ok(Exit::Done)
}

/// Checks that the run may be released, and with `--yes` writes run and fleet in one transaction.
async fn release(stack: &Stack, args: &ReleaseArgs) -> Result<Released, Stop> {
    let mut fleet = stack.fleet(&args.fleet).await?;
    let mut run = stack.run(&args.fleet, Some(&args.run)).await?;
    let execution = stack.describe(&ExecutionId::of(&run.record)).await?;
    check(&fleet.record, &run.record, &execution, stack.now())?;
    let (phase, failure) = (run.record.phase.as_str(), run.record.failure.clone());
    // A broken function must not keep an operator from the release.
    let (stays, stays_unknown) = match stack.observe(&args.fleet, None).await {
        Ok(observed) => (staying(&args.run, &stack.ledger.before(&run.record.run).await?, &observed), None),
        Err(stop) => (Vec::new(), Some(stop.to_string())),
    };
    let release = Release { by: stack.caller.clone(), at: stack.now() };
    fleet.record.release(&mut run.record, release).map_err(|error| Stop::refused(error.to_string()))?;
    if args.yes {
        stack.ledger.write_both(&run, &fleet).await?;
    }
    Ok(Released {
        schema_version: 1,
        run: args.run.clone(),
        fleet: args.fleet.clone(),
        phase,
        failure,
        committed: run.record.committed.is_some(),
        migrations: run.record.migrations().to_vec(),
        released: run.record.released.filter(|_| args.yes),
        still_blocked_by: fleet.record.held_by().cloned(),
        golden: fleet.record.golden,
        stays,
        stays_unknown,
    })
}

/// Whether the run may be released: it blocks the fleet, and it is frozen, its lease is over, or its execution has ended.
fn check(fleet: &FleetRecord, run: &Run, execution: &Execution, now: Timestamp) -> Result<(), Stop> {
    if let Some(Release { by, at }) = &run.released {
        return Err(Stop::refused(format!("{} is released already, by {by} at {at:.0}", run.run)));
    }
    if !fleet.is_blocked_by(&run.run.id) {
        let phase = run.phase.as_str();
        return Err(Stop::refused(format!("{} is {phase} and does not hold the lock: nothing to release", run.run)));
    }
    let lease = fleet.lease_of(run);
    let over = run.phase == Phase::Ended(Outcome::Frozen) || lease.is_some_and(|lease| lease <= now);
    match execution {
        Execution::Running if !over => {
            let until = lease.map(|lease| format!(" and its lease lasts until {lease:.0}")).unwrap_or_default();
            Err(Stop::refused(format!(
                "{} is {}: its execution {} is running{until}; it ends by itself, or with 'fleetwright abort'",
                run.run,
                run.phase.as_str(),
                run.execution()
            )))
        }
        _ => Ok(()),
    }
}

/// What the run made that is still on AWS, and which members from before it are not in service.
fn staying(run: &RunId, before: &Before, observed: &Observed) -> Vec<Staying> {
    let serves = |health: &Health| matches!(health, Health::Healthy);
    let inventory = observed.inventory.clone().unwrap_or_default();
    let mut staying = Vec::new();
    for one in inventory.instances.iter().filter(|one| one.run.as_ref() == Some(run)) {
        let what = if one.role == Some(Role::Builder) { What::Builder } else { What::MadeMember };
        staying.push(Staying { what, id: one.id.to_string(), in_service: Some(serves(&one.health)) });
    }
    let plain = |what: What, id: String| Staying { what, id, in_service: None };
    let images = inventory.images.iter().filter(|image| image.run == *run);
    staying.extend(images.map(|image| plain(What::Image, image.id.to_string())));
    let snapshots = inventory.snapshots.iter().filter(|snapshot| snapshot.run == *run);
    staying.extend(snapshots.map(|snapshot| plain(What::Snapshot, snapshot.id.to_string())));
    for member in &before.members {
        let found = inventory.instances.iter().find(|one| one.id == member.id);
        if let Some(one) = found.filter(|one| !one.tagged || !serves(&one.health)) {
            let in_service = Some(serves(&one.health));
            staying.push(Staying { what: What::MemberFromBefore, id: member.id.to_string(), in_service });
        }
    }
    staying
}

fn text(released: &Released) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, released);
    out
}

fn write_text(out: &mut String, r: &Released) -> std::fmt::Result {
    let Released { run, fleet, phase, .. } = r;
    let why = r.failure.as_ref().map(|failure| format!(", because {failure}")).unwrap_or_default();
    match &r.released {
        Some(Release { by, at }) => {
            writeln!(out, "released: run {run} of fleet {fleet} was {phase}{why}; {by} released it at {at:.0}")?
        }
        None => {
            writeln!(out, "run {run} of fleet {fleet} is {phase}{why}")?;
            writeln!(
                out,
                "The release ends the run in the ledger as frozen and released by you. No AWS resource changes."
            )?;
        }
    }
    match &r.still_blocked_by {
        Some(other) => writeln!(out, "Run {other} keeps the fleet locked after the release.")?,
        None => writeln!(out, "No run holds the lock after the release: other runs may begin.")?,
    }
    if let Some(Golden { image, version, .. }) = &r.golden {
        writeln!(out, "The golden image stays {image} ({version}).")?;
    }
    if r.committed {
        writeln!(out, "The run is committed: 'fleetwright repair' would finish it, and the release does not.")?;
    }
    if let Some(version) = r.migrations.last() {
        writeln!(out, "A migration of the data to {version} has begun and is not undone.")?;
    }
    match (&r.stays_unknown, &r.stays[..]) {
        (Some(why), _) => writeln!(out, "What of the run stays on AWS is not known: {why}"),
        (None, []) => writeln!(out, "Nothing that the run made is left on AWS."),
        (None, stays) => {
            writeln!(out, "These stay on AWS as they are:")?;
            stays.iter().try_for_each(|Staying { what, id, in_service }| {
                let service = match in_service {
                    Some(true) => ", in service",
                    Some(false) => ", not in service",
                    None => "",
                };
                writeln!(out, "  {id}  {}{service}", what.as_str())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;
    use fleet::{Admission, Config, FleetInstance, Inventory, MadeImage, Member, Order, RunRef, Span};

    const START: &str = "2026-01-04T03:00:00Z";

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// A fleet and an upgrade that holds its lock.
    fn held() -> (FleetRecord, Run, Before) {
        let config = Config::from_toml(include_str!("../../../../samplconfig.toml")).unwrap();
        let mut fleet = FleetRecord::new(config.clone());
        let golden = fleet.golden.clone();
        let member = Member {
            id: "i-00000001".parse().unwrap(),
            image: golden.as_ref().unwrap().image.clone(),
            zone: "eu-central-1a".parse().unwrap(),
            serves: true,
        };
        let before = Before { members: vec![member], golden, drain: Span::seconds(300) };
        let admission = Admission {
            before: before.clone(),
            version: fleet.version(),
            size: 1,
            source: None,
            fingerprint: "0".repeat(64).parse().unwrap(),
        };
        let id = RunRef { fleet: fleet.name().clone(), id: "run-1".parse().unwrap() };
        let order = Order::Upgrade(vec!["1.4.14".parse().unwrap()]);
        let run = Run::begin(id, order, config, &admission, fleet.next_fence(), at(START));
        fleet.lock(&run, at(START));
        (fleet, run, before)
    }

    #[track_caller]
    fn refused(checked: Result<(), Stop>, says: &str) {
        let stop = checked.unwrap_err();
        assert_eq!(stop.exit, Exit::Refused);
        assert!(stop.to_string().contains(says), "{stop}");
    }

    #[test]
    fn a_run_is_released_if_its_execution_ended_or_it_is_frozen_or_its_lease_is_over() {
        let (fleet, mut run, _) = held();
        let lease = fleet.lease_of(&run).unwrap();
        refused(
            check(&fleet, &run, &Execution::Running, at(START)),
            "its execution run-1 is running and its lease lasts",
        );
        for ended in [Execution::Ended { failure: None }, Execution::Unknown] {
            check(&fleet, &run, &ended, at(START)).unwrap();
        }
        check(&fleet, &run, &Execution::Running, lease).unwrap();
        run.move_to(Phase::Ended(Outcome::Frozen)).unwrap();
        check(&fleet, &run, &Execution::Running, at(START)).unwrap();
    }

    #[test]
    fn a_run_that_does_not_block_the_fleet_is_not_released() {
        let (mut fleet, mut run, _) = held();
        let over = Execution::Ended { failure: None };
        let held_by_another = {
            let mut fleet = fleet.clone();
            fleet.lock.as_mut().unwrap().run = "run-2".parse().unwrap();
            fleet
        };
        refused(check(&held_by_another, &run, &over, at(START)), "does not hold the lock: nothing to release");
        let release = Release { by: "arn:aws:iam::123456789012:user/operator".to_owned(), at: at(START) };
        fleet.release(&mut run, release).unwrap();
        refused(
            check(&fleet, &run, &over, at(START)),
            "is released already, by arn:aws:iam::123456789012:user/operator",
        );
    }

    #[test]
    fn what_stays_is_what_the_run_made_and_the_members_that_it_took_out_of_service() {
        let (_, run, before) = held();
        let instance = |id: &str, role: Option<Role>, health: Health| FleetInstance {
            id: id.parse().unwrap(),
            image: "ami-0000000f".parse().unwrap(),
            zone: "eu-central-1a".parse().unwrap(),
            running: true,
            tagged: health == Health::Healthy,
            health,
            role,
            run: role.map(|_| run.run.id.clone()),
        };
        let inventory = Inventory {
            instances: vec![
                instance("i-00000001", None, Health::Out),
                instance("i-00000002", Some(Role::Builder), Health::Out),
                instance("i-00000003", Some(Role::Member), Health::Healthy),
                FleetInstance { run: Some("run-0".parse().unwrap()), ..instance("i-00000004", None, Health::Healthy) },
            ],
            images: vec![MadeImage { id: "ami-0000000f".parse().unwrap(), run: run.run.id.clone() }],
            snapshots: Vec::new(),
        };
        let observed = Observed {
            tagged: Vec::new(),
            untagged_targets: Vec::new(),
            alarm: None,
            out_of_scope: None,
            image_problem: None,
            drain: Span::seconds(300),
            inventory: Some(inventory),
        };
        let staying = staying(&run.run.id, &before, &observed);
        let staying: Vec<_> = staying.iter().map(|one| (one.what, one.id.as_str(), one.in_service)).collect();
        assert_eq!(
            staying,
            [
                (What::Builder, "i-00000002", Some(false)),
                (What::MadeMember, "i-00000003", Some(true)),
                (What::Image, "ami-0000000f", None),
                (What::MemberFromBefore, "i-00000001", Some(false)),
            ]
        );
    }
}
