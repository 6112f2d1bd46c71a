//! The simulated fleet: how long members take to come and go, what they serve, and what is seen of it.

use fleet::Config;
use simulator::world::{Latencies, Range};
use std::time::Duration;

/// A member whose caches are cold serves half of what a warm one does. An assumption.
pub(super) const COLD: f64 = 0.5;
/// Members hold what they would serve in a minute; what comes on top is lost. An Application Load Balancer gives up on a
/// silent target after 60 s.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
pub(super) const QUEUE_SECONDS: f64 = 60.0;
/// From the end of a minute until its point can be read. CloudWatch promises none; an assumption.
const METRIC_DELAY: Range = Range::seconds(30, 90);
/// What a point is off by at most, as a share of it. An assumption.
const NOISE: f64 = 0.03;

/// Everything that is the same for all policies.
pub(super) struct World {
    seed: u64,
    /// What a warm member serves at 100 % CPU, in requests a second.
    pub per_member: f64,
    latencies: Latencies,
    health_check_interval: u64,
    deregistration_delay: i64,
    /// How long a member is cold, in seconds.
    pub warm_up: i64,
}

/// What is drawn.
#[derive(Clone, Copy)]
enum Draw {
    Launch = 1,
    Boot,
    Check,
    Terminate,
    Delay,
    Noise,
}

impl World {
    pub(super) fn new(config: &Config, warm_up: i64, per_member: f64) -> Self {
        let rehearsal = &config.rehearsal;
        Self {
            seed: rehearsal.seed,
            per_member,
            latencies: Latencies::default(),
            health_check_interval: rehearsal.health_check_interval.as_secs().into(),
            deregistration_delay: rehearsal.deregistration_delay.as_secs().into(),
            warm_up,
        }
    }

    /// Seconds from the launch of the `n`th member until it is in service: it runs, answers, and has passed its first check.
    pub(super) fn until_in_service(&self, n: u64) -> i64 {
        let Latencies { launch, first_boot, .. } = self.latencies;
        let check = self.rng(Draw::Check, n).u64(0..=self.health_check_interval);
        self.seconds(Draw::Launch, n, launch) + self.seconds(Draw::Boot, n, first_boot) + check as i64
    }

    /// The longest that a member can take from its launch until it is warm.
    pub(super) fn longest_until_warm(&self) -> i64 {
        let Latencies { launch, first_boot, .. } = self.latencies;
        let check = Duration::from_secs(self.health_check_interval);
        (launch.high + first_boot.high + check).as_secs() as i64 + self.warm_up
    }

    /// Seconds from the decision that the `n`th member leaves, from when on it gets no requests, until it is gone.
    pub(super) fn until_gone(&self, n: u64) -> i64 {
        self.deregistration_delay + self.seconds(Draw::Terminate, n, self.latencies.terminate)
    }

    /// Seconds from the end of a minute until its point can be read.
    pub(super) fn metric_delay(&self, minute: u64) -> i64 {
        self.seconds(Draw::Delay, minute, METRIC_DELAY)
    }

    /// What a minute's point says of this CPU, in percent.
    pub(super) fn measured(&self, minute: u64, percent: f64) -> f64 {
        let off = self.rng(Draw::Noise, minute).f64() * 2.0 - 1.0;
        (percent * (1.0 + NOISE * off)).clamp(0.0, 100.0)
    }

    fn seconds(&self, draw: Draw, ordinal: u64, range: Range) -> i64 {
        self.rng(draw, ordinal).u64(range.low.as_secs()..=range.high.as_secs()) as i64
    }

    /// Keyed by what is drawn, so that all policies meet the same minutes, whatever else they draw.
    fn rng(&self, draw: Draw, ordinal: u64) -> fastrand::Rng {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let of_draw = rng.u64(..).wrapping_add(draw as u64);
        let mut rng = fastrand::Rng::with_seed(of_draw);
        fastrand::Rng::with_seed(rng.u64(..).wrapping_add(ordinal))
    }
}
