//! The result of a rehearsal: the one object that `--output json` prints.

use super::cost::{self, Usage};
use super::rehearsal::Completed;
use super::steps::{Step, Steps};
use super::{Goal, RehearsalSpec, START};
use crate::Exit;
use crate::lambda::first_line;
use asl::Finished;
use fleet::Version;
use serde::Serialize;
use sha2::{Digest, Sha256};
use simulator::Simulator;
use simulator::invariants::{SettledAs as Settling, Verdict, Violation};
use simulator::report::{Member, Requests, Span};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a rehearsed run ends, as the caller of its execution sees it.
///
/// This is not [`fleet::Outcome`], which is the ledger's word for a run that began. An `Ending` also covers runs that never
/// began, `Refused` and `Unchanged`, and has no word for reverts and restores, which are not rehearsed. Its serialized names
/// are the values of `outcome` in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The fleet runs the version of the order.
    Upgraded,
    /// The fleet has the ordered size, or with abandoned members a size between the two.
    Scaled,
    /// The fleet has a new golden image.
    ImageTaken,
    /// The run failed, and the fleet is as it was before.
    RolledBack,
    /// The run stopped, and an operator must repair it.
    Frozen,
    /// The run did not begin and changed nothing.
    Refused,
    /// The fleet was as ordered already.
    Unchanged,
}

impl Ending {
    /// The first word of the text output.
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

    /// Whether the run reached its goal, or part of it.
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Upgraded | Self::Scaled | Self::ImageTaken)
    }
}

/// The result of a rehearsal.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are the documented JSON, and say what they are")]
pub struct Rehearsed {
    pub schema_version: u32,
    pub workflow: &'static str,
    pub outcome: Ending,
    /// Why the run did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub from: Version,
    pub to: Version,
    pub size: u32,
    pub seed: u64,
    pub definition_sha256: String,
    pub virtual_seconds: f64,
    /// The critical path of the latencies that were drawn, without polling and orchestration.
    pub limit_seconds: f64,
    pub transitions: u64,
    pub calls: BTreeMap<String, u64>,
    pub requests: Requests,
    pub capacity: Capacity,
    pub invariants: Invariants,
    /// The faults at call sites that no call reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed_faults: Vec<String>,
    pub cost_usd: f64,
    pub steps: Vec<Step>,
    pub members: Vec<Member>,
}

/// Members in service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// The members in service when the run began.
    pub floor: u32,
    /// The fewest members in service during the run.
    pub lowest: u32,
    /// Virtual seconds since the start, and how many members were in service from then on.
    pub series: Vec<(f64, u32)>,
}

/// The invariants that were checked, and their violations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invariants {
    /// The names of the invariants that were checked.
    pub checked: Vec<&'static str>,
    /// Each violation: the invariant's name, and the ids and values that violate it.
    pub violated: Vec<String>,
}

impl Rehearsed {
    pub(super) fn new(spec: &RehearsalSpec, completed: Completed) -> Self {
        let Completed { simulator, finished, steps, report, .. } = completed;
        let config = &spec.config;
        let virtual_time = steps.all.iter().map(|step| step.ended).fold(0.0, f64::max);
        let virtual_time = Duration::from_secs_f64(virtual_time);
        let calls: BTreeMap<_, _> = report
            .calls
            .iter()
            .map(|(name, count)| (name.clone(), count - completed.calls_before.get(name).copied().unwrap_or(0)))
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
        let definition = spec.goal.definition(config);
        let limit = simulator.limit(&waits(spec, &steps));
        Self {
            schema_version: 1,
            workflow: definition.machine.trim_start_matches("fleetwright-"),
            outcome: completed.ending,
            reason: completed.reason,
            from: config.fleet.version,
            to: spec.goal.version(config),
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
            invariants: invariants(completed.verdict),
            missed_faults: missed(spec, &simulator),
            cost_usd,
            steps: steps.all,
            members: report.members,
        }
    }

    /// The command's exit status. A violation is an error, and so is a fault that no call reached: its effect was not
    /// rehearsed.
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

/// How the execution ended, and why if it failed. A run whose first step failed did not begin. Only the ledger says whether
/// a scale-out that abandoned members has scaled.
pub(super) fn ending(goal: Goal, finished: &Finished, steps: &[Step]) -> (Ending, Option<String>) {
    match &finished.outcome {
        asl::Outcome::Succeeded(output) if output["outcome"] == "unchanged" => (Ending::Unchanged, None),
        asl::Outcome::Succeeded(_) => (goal.success(), None),
        asl::Outcome::Failed(failure) => {
            let ending = match failure.error.as_str() {
                "RolledBack" => Ending::RolledBack,
                "Refused" => Ending::Refused,
                // Any other error of the first step also comes before the run begins.
                _ if steps.len() <= 1 => Ending::Refused,
                _ => Ending::Frozen,
            };
            (ending, Some(first_line(&failure.cause)))
        }
    }
}

/// The waits that no orchestration could shorten: the bakes that the configuration sets, and the operator's approval.
fn waits(spec: &RehearsalSpec, steps: &Steps) -> Vec<Span> {
    let upgrade = &spec.config.upgrade;
    // The world is a little older than the run, because the fleet was written to the ledger first.
    let head_start = steps.execution_started.duration_since(START).unsigned_abs();
    let wait = |step: &Step| {
        let length = match (step.payload["check"].as_str(), step.payload["members"].as_str()) {
            (Some("bake"), Some("canary")) => upgrade.canary_bake.into(),
            (Some("bake"), _) => upgrade.bake.into(),
            _ if step.payload["token"].is_string() => spec.pace.approves_after,
            _ => return None,
        };
        let start = head_start + Duration::from_secs_f64(step.started);
        step.left.then(|| Span { kind: "wait", resource: step.name.clone(), start, end: start + length })
    };
    steps.all.iter().filter_map(wait).collect()
}

/// The ending in the simulator's words, which decide what it checks.
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

/// The faults at call sites that no call reached.
fn missed(spec: &RehearsalSpec, simulator: &Simulator) -> Vec<String> {
    let of_calls = spec.faults.iter().filter(|fault| fault.site().is_some());
    of_calls.zip(simulator.faults_struck()).filter(|(_, struck)| !struck).map(|(fault, _)| fault.to_string()).collect()
}

fn invariants(verdict: Verdict) -> Invariants {
    Invariants { checked: verdict.checked, violated: verdict.violated.into_iter().map(violation_text).collect() }
}

/// A violation as the JSON and the text have it.
pub(super) fn violation_text(violation: Violation) -> String {
    format!("{}: {}", violation.invariant, violation.detail)
}
