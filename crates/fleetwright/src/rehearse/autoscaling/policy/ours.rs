//! Fleetwright's policy: `fleet::decide`, started like the deployed workflows by an alarm that changes its state. The alarms
//! are raised by one one-minute point above the target, or by ten in a row below 90 % of it. While an alarm stays raised, the
//! run polls. One run at a time changes the fleet, so nothing is decided until added members are in service or removed
//! members are terminated.

use super::{Policy, View};
use crate::rehearse::world::base_image;
use fleet::{Action, Config, Member, Reading, Reason, ScalingMember, decide};
use jiff::Timestamp;

/// How many points in a row raise the alarm for a scale-in. A higher point removes no member: see `fleet::decide`.
const LOW_POINTS: usize = 10;
const LOW_SHARE: f64 = 0.9;

pub(in super::super) struct Ours<'a> {
    config: &'a Config,
    /// The start of the trace, in Unix time.
    start: i64,
    alarm: Option<Alarm>,
    /// When the raised alarm is polled again, in seconds since the start.
    again: i64,
    /// Until when a run changes the fleet, in seconds since the start.
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
        // The times of a trace are in the calendar. A time after the calendar's end becomes its end.
        Timestamp::from_second(self.start + second).unwrap_or(Timestamp::MAX)
    }

    fn reading(&self, view: &View<'_, '_>) -> Reading {
        let fleet = &self.config.fleet;
        let standing = |member: &super::super::model_fleet::ModelMember| {
            let id = format!("i-{:017x}", member.n).parse().ok()?;
            let image = base_image(fleet).parse().ok()?;
            let zone = fleet.subnets[member.n as usize % fleet.subnets.len()].zone.clone();
            Some(ScalingMember {
                member: Member { id, image, zone, serves: true },
                launched: self.at(member.launched),
                in_service: (member.in_service <= view.now).then(|| self.at(member.in_service)),
            })
        };
        Reading {
            members: view.model_fleet.members().iter().filter_map(standing).collect(),
            cpu: view.points.to_vec(),
            last_out: self.last_out.map(|second| self.at(second)),
            last_in: self.last_in.map(|second| self.at(second)),
            others_may_add: 0,
            order: None,
        }
    }
}

impl Policy for Ours<'_> {
    fn evaluate(&mut self, view: &mut View<'_, '_>) {
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
