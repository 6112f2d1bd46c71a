//! The policies that decide each minute on the size of the model fleet, from the metric points that have arrived.

mod ours;
mod step;
mod target_tracking;

pub(super) use ours::Ours;
pub(super) use step::Step;
pub(super) use target_tracking::TargetTracking;

use super::model_fleet::ModelFleet;
use fleet::{CpuPoint, Scaling};

/// What a policy can see and change.
pub(super) struct View<'a, 'w> {
    /// Seconds since the start of the trace.
    pub now: i64,
    /// The start of the trace, in Unix time.
    pub start: i64,
    /// The points that have arrived, the latest last.
    pub points: &'a [CpuPoint],
    pub model_fleet: &'a mut ModelFleet<'w>,
    pub scaling: &'a Scaling,
}

/// A policy that decides on a fleet's size.
pub(super) trait Policy {
    /// Decides once, when the minute's alarms are evaluated, and resizes the fleet.
    fn evaluate(&mut self, view: &mut View<'_, '_>);
}

impl View<'_, '_> {
    /// Whether there are `count` points and each of the latest `count` breaches.
    fn latest(&self, count: usize, breaches: impl Fn(f64) -> bool) -> bool {
        let from = self.points.len().checked_sub(count);
        from.is_some_and(|from| self.points[from..].iter().all(|point| breaches(point.percent)))
    }

    /// The latest point in percent, if the number of warm members has not changed since.
    fn settled(&self) -> Option<f64> {
        let latest = self.points.last().filter(|point| point.at.as_second() - self.start >= self.model_fleet.settled);
        latest.map(|point| point.percent)
    }

    fn target(&self) -> f64 {
        self.scaling.target_cpu.into()
    }

    /// The members that count for the metric.
    fn warm(&self) -> u32 {
        let warm_up = i64::from(self.scaling.warm_up.as_secs());
        self.model_fleet.members().iter().filter(|member| member.in_service + warm_up <= self.now).count() as u32
    }

    /// Resizes the fleet to this size, limited to min and max.
    fn resize(&mut self, wanted: u32) {
        let (size, to) = (self.model_fleet.size(), wanted.clamp(self.scaling.min, self.scaling.max));
        if to > size {
            self.model_fleet.launch(self.now, to - size);
        } else {
            self.model_fleet.take_out(self.now, size - to);
        }
    }
}
