//! The figures of each policy: the object that `--output json` prints.

use super::ReplaySpec;
use super::replay::Replayed;
use crate::rehearse::args::{AutoscalingArgs, PolicyName};
use fleet::Scaling;
use jiff::Timestamp;
use serde::Serialize;

const SCHEMA_VERSION: u32 = 1;

/// The printed object.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub schema_version: u32,
    /// The fleet's name.
    pub fleet: String,
    pub seed: u64,
    pub trace: TraceRead,
    /// The chosen policy, which is the first of `policies`.
    pub policy: PolicyName,
    /// The configuration's section `scaling`.
    pub scaling: Scaling,
    /// What one member serves at 100 % CPU, in requests per second.
    pub per_member: f64,
    /// Whether `--per-member` gave that. Otherwise it follows from the trace.
    pub per_member_given: bool,
    /// The members at the start.
    pub members_at_start: u32,
    /// The figures of each policy.
    pub policies: Vec<Row>,
}

/// The trace that was read.
#[derive(Debug, Serialize)]
pub(super) struct TraceRead {
    pub file: String,
    pub step_seconds: i64,
    pub known_steps: usize,
    /// The steps that the trace lacks. Demand changes linearly across them.
    pub missing_steps: u64,
    pub start: Timestamp,
    pub end: Timestamp,
}

/// The figures of one policy.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub policy: &'static str,
    pub minutes: usize,
    /// The minutes whose average CPU over the members in service was above the target.
    pub minutes_over_target: usize,
    pub requests: u64,
    /// The requests that waited because the members were saturated.
    pub requests_late: u64,
    /// The requests that no member's queue could hold.
    pub requests_lost: u64,
    /// The hours of all members, from launch to termination.
    pub member_hours: f64,
    /// The number of changes of the size.
    pub scaling_actions: u32,
    /// The longest stretch in which demand exceeded what the fleet serves at the target.
    pub largest_lag_seconds: i64,
}

impl Report {
    pub(super) fn of(args: &AutoscalingArgs, spec: &ReplaySpec, replayed: &[(&'static str, Replayed)]) -> Self {
        let trace = &spec.trace;
        Self {
            schema_version: SCHEMA_VERSION,
            fleet: spec.config.fleet.name.to_string(),
            seed: spec.config.rehearsal.seed,
            trace: TraceRead {
                file: args.trace.display().to_string(),
                step_seconds: trace.step_seconds(),
                known_steps: trace.known(),
                missing_steps: trace.missing(),
                start: Timestamp::from_second(spec.demand.start).unwrap_or(Timestamp::MIN),
                end: trace.end(),
            },
            policy: args.policy,
            scaling: spec.scaling,
            per_member: spec.per_member,
            per_member_given: args.per_member.is_some(),
            members_at_start: spec.size,
            policies: replayed
                .iter()
                .map(|(policy, replayed)| row(policy, replayed, spec.scaling.target_cpu))
                .collect(),
        }
    }

    /// The first policy's minutes over the target and member-hours, each as a difference from target tracking in percent.
    pub(super) fn against_target_tracking(&self) -> Option<(f64, f64)> {
        let theirs = self.policies.iter().find(|row| row.policy == "target-tracking")?;
        let ours = self.policies.first().filter(|row| row.policy != theirs.policy)?;
        let more = |ours: f64, theirs: f64| if theirs > 0.0 { 100.0 * (ours / theirs - 1.0) } else { 0.0 };
        let minutes = more(ours.minutes_over_target as f64, theirs.minutes_over_target as f64);
        Some((minutes, more(ours.member_hours, theirs.member_hours)))
    }
}

fn row(policy: &'static str, replayed: &Replayed, target_cpu: u32) -> Row {
    // The tolerance covers the rounding of a sum over sixty seconds.
    let target = f64::from(target_cpu) + 1e-9;
    Row {
        policy,
        minutes: replayed.minutes.len(),
        minutes_over_target: replayed.minutes.iter().filter(|minute| minute.cpu > target).count(),
        requests: replayed.sent.round() as u64,
        requests_late: replayed.late.round() as u64,
        requests_lost: replayed.lost.round() as u64,
        member_hours: (replayed.paid_seconds as f64 / 36.0).round() / 100.0,
        scaling_actions: replayed.actions,
        largest_lag_seconds: replayed.lag_seconds,
    }
}
