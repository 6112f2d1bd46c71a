//! The two CloudWatch alarms on a fleet's CPU: their names and their thresholds.

use crate::{FleetName, Scaling};
use serde::{Deserialize, Serialize};

/// The name of an alarm on a fleet's CPU. The EventBridge rules in infra/template.yaml match the start of this name.
pub fn alarm_name(fleet: &FleetName, kind: AlarmKind) -> String {
    format!("fleetwright-{}-{fleet}", kind.as_str())
}

/// The fleet and the kind of the alarm with this name, or `None` if no alarm of Fleetwright has such a name.
pub fn alarm_of(name: &str) -> Option<(FleetName, AlarmKind)> {
    let (kind, fleet) = name.strip_prefix("fleetwright-")?.split_once('-')?;
    let kind = [AlarmKind::Busy, AlarmKind::Idle].into_iter().find(|one| one.as_str() == kind)?;
    Some((fleet.parse().ok()?, kind))
}

/// Which of a fleet's two alarms on its CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// In the `ALARM` state while the CPU is above the target.
    Busy,
    /// In the `ALARM` state while the CPU is so far below the target that fewer members can do the work.
    Idle,
}

impl AlarmKind {
    /// The word in the alarm's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Idle => "idle",
        }
    }
}

/// When an alarm on the fleet's CPU enters the `ALARM` state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Which of the two alarms.
    pub kind: AlarmKind,
    /// The CPU in percent: above it the busy alarm is raised, below it the idle alarm.
    pub percent: f64,
    /// How many consecutive minutes must cross the threshold.
    pub minutes: u32,
}

/// Target tracking keeps the same distance. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html>
const IDLE_BELOW: f64 = 0.9;
/// A decision to remove members considers the same number of minutes.
const IDLE_MINUTES: u32 = 10;

impl Scaling {
    /// The thresholds of the fleet's two alarms. One minute above the target is enough to start a run, because the run's
    /// decision considers more than one minute.
    pub fn thresholds(&self) -> [Threshold; 2] {
        let target = f64::from(self.target_cpu);
        [
            Threshold { kind: AlarmKind::Busy, percent: target, minutes: 1 },
            Threshold { kind: AlarmKind::Idle, percent: IDLE_BELOW * target, minutes: IDLE_MINUTES },
        ]
    }
}
