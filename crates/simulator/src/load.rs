//! The load of the members, and the CPU that CloudWatch reports for it.
//!
//! The members in service share the work evenly. The point of a minute appears one minute after the minute's end.

use std::time::Duration;

use crate::clock::Time;
use crate::state::State;
use crate::world::{AlarmThreshold, CpuAlarm};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// From the end of a minute until its point appears.
const LATE: Duration = MINUTE;
/// The CPU in percent of an instance without work.
const IDLE: f64 = 1.0;
const BUSY: f64 = 100.0;

impl State {
    /// The CPU of an instance in percent, over the minute that began at `minute`. `None` if CloudWatch has no point of
    /// it now.
    pub(crate) fn cpu_of(&self, instance: usize, minute: Time) -> Option<f64> {
        let one = &self.ec2.instances[instance];
        let known = one.launched <= minute && minute + MINUTE + LATE <= self.now && !one.state.gone();
        known.then(|| if self.in_service.contains(instance) { self.cpu_in_service(minute) } else { IDLE })
    }

    /// The CPU in percent of each member that was in service when `minute` began.
    fn cpu_in_service(&self, minute: Time) -> f64 {
        let work = self.world.work.iter().rev().find(|work| work.from <= minute).map_or(0.0, |work| work.percent);
        match self.in_service.count_at(minute) {
            0 => IDLE,
            members => (work / f64::from(members)).clamp(IDLE, BUSY),
        }
    }

    /// The latest minute that has a point.
    pub(crate) fn last_minute(&self) -> Option<Time> {
        let minutes = self.now.checked_sub(MINUTE + LATE)?.as_secs() / 60;
        Some(Duration::from_secs(minutes * 60))
    }

    pub(crate) fn is_raised(&self, alarm: &CpuAlarm) -> bool {
        let Some(last) = self.last_minute() else { return false };
        let minutes = (0..alarm.minutes).map(|back| last.checked_sub(MINUTE * back));
        minutes.into_iter().all(|minute| {
            minute.is_some_and(|minute| match alarm.threshold {
                AlarmThreshold::Above(percent) => self.cpu_in_service(minute) > percent,
                AlarmThreshold::Below(percent) => self.cpu_in_service(minute) < percent,
            })
        })
    }
}
