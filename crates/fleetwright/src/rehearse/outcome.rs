//! What a rehearsal came to: the one object that `--output json` prints.

use super::cost::{self, Usage};
use super::fault_spec::FaultSpec;
use super::pace::Pace;
use super::stage::Played;
use super::steps::{Step, Steps};
use super::{Goal, RehearsalSpec, START, reason};
use crate::Exit;
use asl::Finished;
use fleet::Version;
use serde::Serialize;
use sha2::{Digest, Sha256};
use simulator::Simulator;
use simulator::invariants::{SettledAs as Settling, Verdict, Violation};
use simulator::report::{Member, Requests, Span};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a run ends, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The fleet runs the wanted version.
    Upgraded,
    /// The fleet has more members, or fewer.
    Scaled,
    /// The fleet has a golden image.
    ImageTaken,
    /// It failed, and the fleet is as it was before.
    RolledBack,
    /// It stopped where it stood, and a person is needed.
    Frozen,
    /// It was not begun; nothing was changed.
    Refused,
    /// The fleet is where it is wanted already.
    Unchanged,
}

impl Ending {
    /// A word for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Upgraded => "upgraded",
            Self::Scaled => "scaled",
            Self::ImageTaken => "image taken",
            Self::RolledBack => "rolled back",
            Self::Frozen => "frozen",
            Self::Refused => "refused",
            Self::Unchanged => "unchanged",
        }
    }

    /// Whether the run came to an end with what it was for, or with part of it.
    pub(super) fn is_reached(self) -> bool {
        matches!(self, Self::Upgraded | Self::Scaled | Self::ImageTaken)
    }
}

/// What a rehearsal came to.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are the documented JSON, and say what they are")]
pub struct Rehearsed {
    pub schema_version: u32,
    pub workflow: &'static str,
    pub outcome: Ending,
    /// Why it did not go through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub from: Version,
    pub to: Version,
    pub size: u32,
    pub seed: u64,
    pub definition_sha256: String,
    pub virtual_seconds: f64,
    /// The critical path of the latencies that were drawn: no polling, no orchestration.
    pub limit_seconds: f64,
    pub transitions: u64,
    pub calls: BTreeMap<String, u64>,
    pub requests: Requests,
    pub capacity: Capacity,
    pub invariants: Invariants,
    /// Faults of calls that were to strike and found no call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed_faults: Vec<String>,
    pub cost_usd: f64,
    pub steps: Vec<Step>,
    pub members: Vec<Member>,
}

/// Members in service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// When the run began.
    pub floor: u32,
    /// The lowest while it went on.
    pub lowest: u32,
    /// Virtual seconds, and how many were in service from then on.
    pub series: Vec<(f64, u32)>,
}

/// Which invariants were checked, and which did not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invariants {
    /// By name.
    pub checked: Vec<&'static str>,
    /// Each breach, with ids.
    pub violated: Vec<String>,
}

impl Rehearsed {
    pub(super) fn new(plan: &RehearsalSpec, fault_specs: &[FaultSpec], pace: &Pace, played: Played) -> Self {
        let Played { simulator, finished, steps, report, .. } = played;
        let config = &plan.config;
        let virtual_time = steps.all.iter().map(|step| step.ended).fold(0.0, f64::max);
        let virtual_time = Duration::from_secs_f64(virtual_time);
        let calls: BTreeMap<_, _> = report
            .calls
            .iter()
            .map(|(name, count)| (name.clone(), count - played.calls_before.get(name).copied().unwrap_or(0)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let usage = Usage {
            instance_seconds: &report.instance_seconds,
            duration: virtual_time,
            transitions: finished.transitions,
            invocations: steps.all.iter().map(|step| u64::from(step.attempts)).sum(),
            function_seconds: steps.function_seconds,
            calls: &calls,
        };
        let cost_usd = cost::usd(config, &usage);
        let definition = plan.goal.definition(config);
        let limit = simulator.limit(&waits(plan, pace, &steps));
        Self {
            schema_version: 1,
            workflow: definition.machine.trim_start_matches("fleetwright-"),
            outcome: played.ending,
            reason: played.reason,
            from: config.fleet.version,
            to: plan.goal.version(config),
            size: config.fleet.size,
            seed: config.rehearsal.seed,
            definition_sha256: Sha256::digest(definition.text).iter().map(|byte| format!("{byte:02x}")).collect(),
            virtual_seconds: virtual_time.as_secs_f64(),
            limit_seconds: limit.as_secs_f64(),
            transitions: finished.transitions,
            calls,
            requests: report.requests,
            capacity: Capacity {
                floor: report.capacity.floor,
                lowest: report.capacity.lowest,
                series: report.capacity.series.clone(),
            },
            invariants: invariants(played.verdict),
            missed_faults: missed(fault_specs, &simulator),
            cost_usd,
            steps: steps.all,
            members: report.members,
        }
    }

    /// Holds it against the same rehearsal without a fault that must pass, which therefore ended as this one must.
    pub(super) fn must_end_like(&mut self, without: &Self) {
        let end = |one: &Self| (one.outcome, one.capacity.series.last().map_or(0, |(_, members)| *members));
        self.invariants.checked.push(PASSES);
        self.invariants.violated.extend(unlike(end(self), end(without), self.reason.as_deref()).map(told));
    }

    /// The command's exit status. What was not struck by a fault that was named was not rehearsed.
    pub fn exit(&self) -> Exit {
        match self.outcome {
            _ if !self.invariants.violated.is_empty() || !self.missed_faults.is_empty() => Exit::Error,
            Ending::Upgraded | Ending::Scaled | Ending::ImageTaken | Ending::Unchanged => Exit::Done,
            Ending::RolledBack => Exit::RolledBack,
            Ending::Frozen => Exit::Frozen,
            Ending::Refused => Exit::Refused,
        }
    }
}

/// How the execution ended. One that failed in its first state was not begun; of one that gave up the ledger says what came of
/// it.
pub(super) fn ending(goal: Goal, finished: &Finished, steps: &[Step]) -> (Ending, Option<String>) {
    match &finished.outcome {
        asl::Outcome::Succeeded(output) if output["outcome"] == "unchanged" => (Ending::Unchanged, None),
        asl::Outcome::Succeeded(_) => (goal.reached(), None),
        asl::Outcome::Failed(failure) => {
            let ending = match failure.error.as_str() {
                "RolledBack" => Ending::RolledBack,
                "Refused" => Ending::Refused,
                // Whatever else ends the first step: nothing was begun.
                _ if steps.len() <= 1 => Ending::Refused,
                _ => Ending::Frozen,
            };
            (ending, Some(reason(failure)))
        }
    }
}

/// Waits that the configuration asks for, which no engine could shorten: baking, and a person's answer.
fn waits(plan: &RehearsalSpec, pace: &Pace, steps: &Steps) -> Vec<Span> {
    let upgrade = &plan.config.upgrade;
    // The world is a little older than the run: its ledger was written first.
    let head_start = steps.execution_started.duration_since(START).unsigned_abs();
    let wait = |step: &Step| {
        let length = match (step.payload["check"].as_str(), step.payload["members"].as_str()) {
            (Some("bake"), Some("canary")) => upgrade.canary_bake.into(),
            (Some("bake"), _) => upgrade.bake.into(),
            _ if step.payload["token"].is_string() => pace.approves_after,
            _ => return None,
        };
        let start = head_start + Duration::from_secs_f64(step.started);
        step.left.then(|| Span { kind: "wait", resource: step.name.clone(), start, end: start + length })
    };
    steps.all.iter().filter_map(wait).collect()
}

pub(super) fn settling(outcome: Ending) -> Settling {
    match outcome {
        Ending::Upgraded => Settling::Upgraded,
        Ending::Scaled => Settling::Scaled,
        Ending::ImageTaken => Settling::ImageTaken,
        Ending::RolledBack => Settling::RolledBack,
        Ending::Frozen => Settling::Frozen,
        Ending::Refused => Settling::Refused,
        Ending::Unchanged => Settling::Unchanged,
    }
}

fn missed(fault_specs: &[FaultSpec], simulator: &Simulator) -> Vec<String> {
    let of_calls = fault_specs.iter().filter(|fault_spec| fault_spec.site().is_some());
    of_calls
        .zip(simulator.faults_struck())
        .filter(|(_, struck)| !struck)
        .map(|(fault_spec, _)| fault_spec.to_string())
        .collect()
}

fn invariants(verdict: Verdict) -> Invariants {
    Invariants { checked: verdict.checked, violated: verdict.violated.into_iter().map(told).collect() }
}

fn told(breach: Violation) -> String {
    format!("{}: {}", breach.invariant, breach.detail)
}

/// The invariant that a fault which passes changes neither how a run ends nor how many are in service then.
const PASSES: &str = "what-passes-changes-no-outcome";

/// How a rehearsal breaks it that ended so, and with so many in service, and was to end otherwise; if it does.
pub(super) fn unlike(ended: (Ending, u32), expected: (Ending, u32), reason: Option<&str>) -> Option<Violation> {
    let ((ending, in_service), (wanted, members)) = (ended, expected);
    let reason = reason.unwrap_or("no reason given");
    let detail = || {
        format!("it ended as {ending:?} with {in_service} in service instead of {wanted:?} with {members}: {reason}")
    };
    (ended != expected).then(|| Violation { invariant: PASSES, detail: detail() })
}

#[cfg(test)]
mod tests {
    use crate::Exit;
    use crate::rehearse::pace::{Pace, brisk};
    use crate::rehearse::{Goal, RehearsalSpec, stage};
    use fleet::Config;

    #[test]
    fn a_fault_that_was_to_pass_and_did_not_is_told_of() {
        let config = Config::from_toml(include_str!("../../../../samplconfig.toml")).unwrap();
        let goal = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
        let plan = RehearsalSpec { config: brisk(config), goal, faults: Vec::new() };
        let play = |fault_specs: &[&str]| {
            let fault_specs: Vec<_> = fault_specs.iter().map(|fault_spec| fault_spec.parse().unwrap()).collect();
            stage(&plan, &fault_specs, &Pace::brisk(), &mut |_| {}, |functions| Box::new(functions)).unwrap()
        };
        let (mut through, mut back) = (play(&[]), play(&["migrate-fails"]));
        let like = through.clone();
        through.must_end_like(&like);
        assert_eq!((through.exit(), through.invariants.violated.as_slice()), (Exit::Done, &[][..]));
        back.must_end_like(&through);
        let [told] = back.invariants.violated.as_slice() else { panic!("{:?}", back.invariants) };
        assert!(told.starts_with("what-passes-changes-no-outcome: it ended as RolledBack with 3"), "{told}");
        assert_eq!(back.exit(), Exit::Error);
    }
}
