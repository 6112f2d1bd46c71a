//! What is the same for all policies: how long members take to launch and to leave, what they serve, and what the metric
//! shows of it.

use fleet::Config;
use simulator::world::{Latencies, Range};
use std::time::Duration;

/// The share of a warm member's capacity that a member with cold caches has. An assumption.
pub(super) const COLD: f64 = 0.5;
/// A member's queue holds what the member serves in this many seconds, and further requests are lost: an Application Load
/// Balancer waits 60 s for an answer.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
pub(super) const QUEUE_SECONDS: f64 = 60.0;
/// The time from the end of a minute until its point can be read. CloudWatch documents none, so this is an assumption.
const METRIC_DELAY: Range = Range::seconds(30, 90);
/// The largest error of a point, as a share of it. An assumption.
const NOISE: f64 = 0.03;

/// The world of a replay.
pub(super) struct World {
    seed: u64,
    /// What a warm member serves at 100 % CPU, in requests per second.
    pub per_member: f64,
    latencies: Latencies,
    health_check_interval: u64,
    deregistration_delay: i64,
    /// How long a member is cold, in seconds.
    pub warm_up: i64,
}

/// The values that are drawn at random.
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

    /// The seconds from the launch of member `n` until it is in service: it runs, has booted and has passed its first check.
    pub(super) fn until_in_service(&self, n: u64) -> i64 {
        let Latencies { launch, first_boot, .. } = self.latencies;
        let check = self.rng(Draw::Check, n).u64(0..=self.health_check_interval);
        self.seconds(Draw::Launch, n, launch) + self.seconds(Draw::Boot, n, first_boot) + check as i64
    }

    /// The most seconds that a member can take from its launch until it is warm.
    pub(super) fn longest_until_warm(&self) -> i64 {
        let Latencies { launch, first_boot, .. } = self.latencies;
        let check = Duration::from_secs(self.health_check_interval);
        (launch.high + first_boot.high + check).as_secs() as i64 + self.warm_up
    }

    /// The seconds from the decision that member `n` leaves until it is terminated. It gets no requests meanwhile.
    pub(super) fn until_gone(&self, n: u64) -> i64 {
        self.deregistration_delay + self.seconds(Draw::Terminate, n, self.latencies.terminate)
    }

    /// The seconds from the end of a minute until its point can be read.
    pub(super) fn metric_delay(&self, minute: u64) -> i64 {
        self.seconds(Draw::Delay, minute, METRIC_DELAY)
    }

    /// The CPU in percent that a minute's point shows for the real value `percent`.
    pub(super) fn measured(&self, minute: u64, percent: f64) -> f64 {
        let off = self.rng(Draw::Noise, minute).f64() * 2.0 - 1.0;
        (percent * (1.0 + NOISE * off)).clamp(0.0, 100.0)
    }

    fn seconds(&self, draw: Draw, ordinal: u64, range: Range) -> i64 {
        self.rng(draw, ordinal).u64(range.low.as_secs()..=range.high.as_secs()) as i64
    }

    /// A random source for one value. It depends on what is drawn and not on earlier draws, so all policies meet the same
    /// minutes.
    fn rng(&self, draw: Draw, ordinal: u64) -> fastrand::Rng {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let of_draw = rng.u64(..).wrapping_add(draw as u64);
        let mut rng = fastrand::Rng::with_seed(of_draw);
        fastrand::Rng::with_seed(rng.u64(..).wrapping_add(ordinal))
    }
}
