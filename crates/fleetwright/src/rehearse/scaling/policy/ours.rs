//! `fleet::decide`, started as the deployed workflows are: by an alarm that changes its state: one
//! one-minute point above the target, or ten in a row below 90 % of it. While the alarm stays, the
//! run looks again. One run at a time changes the fleet: nothing is decided until members that were added are in service,
//! or those that were taken out are gone.

use super::{Policy, View};
use crate::rehearse::world::base_image;
use fleet::{Action, Config, Member, Reading, Reason, ScalingMember, decide};
use jiff::Timestamp;

/// A point that is higher takes no member out; see `fleet::decide`.
const LOW_POINTS: usize = 10;
const LOW_SHARE: f64 = 0.9;

pub(in super::super) struct Ours<'a> {
    config: &'a Config,
    /// The start of the trace, in Unix time.
    start: i64,
    alarm: Option<Alarm>,
    /// When the alarm is looked at again if its state does not change.
    again: i64,
    /// Until when a run changes the fleet.
    busy: i64,
    last_out: Option<i64>,
    last_in: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    High,
    Low,
}

impl<'a> Ours<'a> {
    pub(in super::super) fn new(config: &'a Config, start: i64) -> Self {
        Self { config, start, alarm: None, again: 0, busy: 0, last_out: None, last_in: None }
    }

    fn at(&self, second: i64) -> Timestamp {
        // A trace's own times are in the calendar; what may be past its end is at its end.
        Timestamp::from_second(self.start + second).unwrap_or(Timestamp::MAX)
    }

    fn reading(&self, view: &View<'_, '_>) -> Reading {
        let fleet = &self.config.fleet;
        let standing = |unit: &super::super::model_fleet::Unit| {
            let id = format!("i-{:017x}", unit.n).parse().ok()?;
            let image = base_image(fleet).parse().ok()?;
            let zone = fleet.subnets[unit.n as usize % fleet.subnets.len()].zone.clone();
            Some(ScalingMember {
                member: Member { id, image, zone, serves: true },
                launched: self.at(unit.launched),
                in_service: (unit.in_service <= view.now).then(|| self.at(unit.in_service)),
            })
        };
        Reading {
            members: view.model_fleet.units().iter().filter_map(standing).collect(),
            cpu: view.points.to_vec(),
            last_out: self.last_out.map(|second| self.at(second)),
            last_in: self.last_in.map(|second| self.at(second)),
            others_may_add: 0,
            order: None,
        }
    }
}

impl Policy for Ours<'_> {
    fn look(&mut self, view: &mut View<'_, '_>) {
        let target = view.target();
        let alarm = if view.latest(1, |percent| percent > target) {
            Some(Alarm::High)
        } else if view.latest(LOW_POINTS, |percent| percent < LOW_SHARE * target) {
            Some(Alarm::Low)
        } else {
            None
        };
        let changed = alarm != self.alarm;
        self.alarm = alarm;
        let Some(alarm) = alarm.filter(|_| view.now >= self.busy && (changed || view.now >= self.again)) else {
            return;
        };
        let decision = decide(&self.reading(view), self.config, self.at(view.now));
        let patience = if alarm == Alarm::High { view.scaling.warm_up } else { view.scaling.cooldown_in };
        self.again = view.now + i64::from(patience.as_secs());
        let size = view.model_fleet.size();
        match &decision.action {
            Action::Out { to, .. } => {
                self.busy = view.model_fleet.launch(view.now, to - size);
                self.last_out = Some(self.busy);
                self.again = self.busy;
            }
            Action::In { to, .. } => {
                self.busy = view.model_fleet.take_out(view.now, size - to);
                self.last_in = Some(self.busy);
                self.again = self.busy;
            }
            Action::Hold { reason: Reason::CoolingDown { until, .. } } => {
                self.again = until.as_second() - self.start;
            }
            Action::Hold { .. } | Action::Refused { .. } => {}
        }
    }
}
