//! When a fleet's CPU asks for another size: what its two alarms ring at.

use crate::{AlarmKind, Scaling};

/// When an alarm on the fleet's CPU rings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// What for.
    pub rings: AlarmKind,
    /// Above so many percent, or below.
    pub percent: f64,
    /// In each of so many minutes in a row.
    pub minutes: u32,
}

/// Target tracking keeps the same distance. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html>
const IDLE_BELOW: f64 = 0.9;
/// As far back as a decision to take members out looks.
const IDLE_MINUTES: u32 = 10;

impl Scaling {
    /// When the fleet's alarms ring. One minute above the target is enough, since the decision looks at more than one.
    pub fn thresholds(&self) -> [Threshold; 2] {
        let target = f64::from(self.target_cpu);
        [
            Threshold { rings: AlarmKind::Busy, percent: target, minutes: 1 },
            Threshold { rings: AlarmKind::Idle, percent: IDLE_BELOW * target, minutes: IDLE_MINUTES },
        ]
    }
}
