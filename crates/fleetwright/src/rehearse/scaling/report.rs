//! What came of it, in figures.

use super::Replay;
use super::play::Played;
use crate::rehearse::args::{AutoscalingArgs, PolicyName};
use fleet::Scaling;
use jiff::Timestamp;
use serde::Serialize;

const SCHEMA_VERSION: u32 = 1;

/// What is printed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub schema_version: u32,
    /// The fleet's name.
    pub fleet: String,
    pub seed: u64,
    pub trace: TraceRead,
    /// The policy asked for; it is the first of `policies`.
    pub policy: PolicyName,
    /// The configuration's section.
    pub scaling: Scaling,
    /// What one member serves at 100 % CPU, in requests a second.
    pub per_member: f64,
    /// Whether that was given; otherwise it follows from the trace.
    pub per_member_given: bool,
    /// Members at the start.
    pub members_at_start: u32,
    /// What each came to.
    pub policies: Vec<Row>,
}

/// What the trace is.
#[derive(Debug, Serialize)]
pub(super) struct TraceRead {
    pub file: String,
    pub step_seconds: i64,
    pub known_steps: usize,
    /// Steps that are not known; demand changes evenly across them.
    pub missing_steps: u64,
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What one policy came to.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub policy: &'static str,
    pub minutes: usize,
    /// Minutes whose average CPU over the members in service was above the target.
    pub minutes_over_target: usize,
    pub requests: u64,
    /// Requests that waited, as members were saturated.
    pub requests_late: u64,
    /// Requests beyond what members can hold.
    pub requests_lost: u64,
    /// Hours of members, from their launch until they are gone.
    pub member_hours: f64,
    /// Changes of the size.
    pub scaling_actions: u32,
    /// The longest stretch in which demand exceeded what the fleet serves at the target.
    pub largest_lag_seconds: i64,
}

impl Report {
    pub(super) fn of(args: &AutoscalingArgs, plan: &Replay, played: &[(&'static str, Played)]) -> Self {
        let trace = &plan.trace;
        Self {
            schema_version: SCHEMA_VERSION,
            fleet: plan.config.fleet.name.to_string(),
            seed: plan.config.rehearsal.seed,
            trace: TraceRead {
                file: args.trace.display().to_string(),
                step_seconds: trace.step_seconds(),
                known_steps: trace.known(),
                missing_steps: trace.missing(),
                start: Timestamp::from_second(plan.demand.start).unwrap_or(Timestamp::MIN),
                end: trace.end(),
            },
            policy: args.policy,
            scaling: plan.scaling,
            per_member: plan.per_member,
            per_member_given: args.per_member.is_some(),
            members_at_start: plan.size,
            policies: played.iter().map(|(policy, played)| row(policy, played, plan.scaling.target_cpu)).collect(),
        }
    }

    /// How much more or less the first policy has than target tracking, in percent: minutes over the target, member-hours.
    pub(super) fn against_target_tracking(&self) -> Option<(f64, f64)> {
        let theirs = self.policies.iter().find(|row| row.policy == "target-tracking")?;
        let ours = self.policies.first().filter(|row| row.policy != theirs.policy)?;
        let more = |ours: f64, theirs: f64| if theirs > 0.0 { 100.0 * (ours / theirs - 1.0) } else { 0.0 };
        let minutes = more(ours.minutes_over_target as f64, theirs.minutes_over_target as f64);
        Some((minutes, more(ours.member_hours, theirs.member_hours)))
    }
}

fn row(policy: &'static str, played: &Played, target_cpu: u32) -> Row {
    // What a sum over sixty seconds may be off by.
    let target = f64::from(target_cpu) + 1e-9;
    Row {
        policy,
        minutes: played.minutes.len(),
        minutes_over_target: played.minutes.iter().filter(|minute| minute.cpu > target).count(),
        requests: played.sent.round() as u64,
        requests_late: played.late.round() as u64,
        requests_lost: played.lost.round() as u64,
        member_hours: (played.paid_seconds as f64 / 36.0).round() / 100.0,
        scaling_actions: played.actions,
        largest_lag_seconds: played.lag_seconds,
    }
}
