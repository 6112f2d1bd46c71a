//! Replays the whole trace with one policy.

use super::demand::Demand;
use super::model_fleet::ModelFleet;
use super::policy::{Policy, View};
use super::world::World;
use fleet::{CpuPoint, Scaling};
use jiff::Timestamp;

/// The averages of a minute's seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Minute {
    /// Requests per second.
    pub demand: f64,
    /// What the fleet could serve at the target, in requests per second.
    pub capacity: f64,
    /// The CPU in percent.
    pub cpu: f64,
}

/// The result of a policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replayed {
    pub minutes: Vec<Minute>,
    pub paid_seconds: i64,
    pub sent: f64,
    pub late: f64,
    pub lost: f64,
    pub actions: u32,
    /// The longest stretch of seconds in which demand exceeded what the fleet serves at the target.
    pub lag_seconds: i64,
}

const MINUTE: i64 = 60;

/// Replays the trace from its start to its end.
pub(super) fn replay(
    demand: &Demand,
    world: &World,
    scaling: &Scaling,
    size: u32,
    policy: &mut dyn Policy,
) -> Replayed {
    let target = f64::from(scaling.target_cpu) / 100.0;
    let mut model_fleet = ModelFleet::new(world, size);
    let mut meter = Meter::new(target);
    // The points that have not arrived yet, each with its arrival, and those that have, in order of their minutes.
    let mut coming: Vec<(i64, CpuPoint)> = Vec::new();
    let mut points: Vec<CpuPoint> = Vec::new();
    let mut actions = 0;
    for (now, requests) in (0..).zip(demand.each_second()) {
        if now > 0 && now % MINUTE == 0 {
            let minute = (now / MINUTE - 1) as u64;
            if let Some(percent) = meter.of_warm() {
                let at = Timestamp::from_second(demand.start + now - MINUTE).unwrap_or(Timestamp::MAX);
                let point = CpuPoint { at, percent: world.measured(minute, percent) };
                coming.push((now + world.metric_delay(minute), point));
            }
            meter.close();
            let arrived = coming.extract_if(.., |(at, _)| *at <= now).map(|(_, point)| point);
            points.extend(arrived);
            points.sort_by_key(|point| point.at);
            // No policy reads older points.
            points.drain(..points.len().saturating_sub(20));
            let before = model_fleet.size();
            policy.evaluate(&mut View {
                now,
                start: demand.start,
                points: &points,
                model_fleet: &mut model_fleet,
                scaling,
            });
            actions += u32::from(model_fleet.size() != before);
        }
        let second = model_fleet.serve(now, requests);
        meter.add(requests, &second);
    }
    meter.close();
    model_fleet.end(demand.seconds);
    let served = model_fleet.served;
    Replayed {
        minutes: meter.minutes,
        paid_seconds: model_fleet.paid_seconds,
        sent: served.sent,
        late: served.late,
        lost: served.lost,
        actions,
        lag_seconds: meter.longest,
    }
}

/// Averages the seconds of each minute, and finds the longest lag.
pub(super) struct Meter {
    target: f64,
    seconds: f64,
    sum: Minute,
    warm: (f64, f64),
    /// For how many seconds demand has exceeded what the fleet serves at the target.
    behind: i64,
    /// The longest such stretch, in seconds.
    pub longest: i64,
    pub minutes: Vec<Minute>,
}

const EMPTY: Minute = Minute { demand: 0.0, capacity: 0.0, cpu: 0.0 };

impl Meter {
    pub(super) fn new(target: f64) -> Self {
        Self { target, seconds: 0.0, sum: EMPTY, warm: (0.0, 0.0), behind: 0, longest: 0, minutes: Vec::new() }
    }

    /// Adds one second.
    pub(super) fn add(&mut self, requests: f64, second: &super::model_fleet::Second) {
        let capacity = second.capacity * self.target;
        self.seconds += 1.0;
        self.sum.demand += requests;
        self.sum.capacity += capacity;
        self.sum.cpu += 100.0 * second.cpu;
        if let Some(cpu) = second.cpu_of_warm {
            self.warm = (self.warm.0 + 100.0 * cpu, self.warm.1 + 1.0);
        }
        self.behind = if requests > capacity + 1e-9 { self.behind + 1 } else { 0 };
        self.longest = self.longest.max(self.behind);
    }

    /// The CPU of the warm members in percent, if there were any.
    fn of_warm(&self) -> Option<f64> {
        (self.warm.1 > 0.0).then(|| self.warm.0 / self.warm.1)
    }

    /// Ends a minute.
    pub(super) fn close(&mut self) {
        if self.seconds > 0.0 {
            let Minute { demand, capacity, cpu } = self.sum;
            let of = |sum: f64| sum / self.seconds;
            self.minutes.push(Minute { demand: of(demand), capacity: of(capacity), cpu: of(cpu) });
        }
        (self.seconds, self.sum, self.warm) = (0.0, EMPTY, (0.0, 0.0));
    }
}
