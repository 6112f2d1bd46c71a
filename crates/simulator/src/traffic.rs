//! The fleet's clients. They send at a steady rate, and the simulator counts the requests that they lose.
//!
//! While every target that receives requests answers them, a period of time costs one addition. Requests are evaluated
//! one by one only while a target does not answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Time;
use crate::report::Requests;

/// Every hundredth request is a long one, such as an upload or a function that runs.
const LONG_EVERY: u64 = 100;
/// How long any other request is in flight.
const SHORT: Duration = Duration::from_millis(80);

/// Whether a target receives requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It receives requests.
    Healthy,
    /// It receives requests only while no target is healthy: a load balancer fails open.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
    Fallback,
    /// It receives no requests.
    None,
}

/// The clients, and the targets that the load balancer sends their requests to.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    per_second: f64,
    /// How long a long request is in flight.
    long: Duration,
    sent: u64,
    failed: u64,
    /// How many of the failed requests a world fault is responsible for, and no run.
    excused: u64,
    healthy: BTreeSet<usize>,
    fallback: BTreeSet<usize>,
    /// The targets of both sets that do not answer.
    silent: BTreeSet<usize>,
    /// The instances that a world fault killed.
    dead: BTreeSet<usize>,
    /// How many of the healthy targets do not answer.
    silent_healthy: usize,
    /// The targets of the current stretch. `None` until it is needed.
    current: Option<Arc<[usize]>>,
    /// The stretches of the last `long`, the oldest first.
    stretches: VecDeque<Stretch>,
    /// For each target, the last request that was counted as lost in flight or finished.
    lost_until: BTreeMap<usize, u64>,
}

/// Consecutive requests that were spread over the same targets.
#[derive(Clone, Debug)]
struct Stretch {
    first: u64,
    last: u64,
    targets: Arc<[usize]>,
}

impl Stretch {
    /// Round robin. Each hundred shifts it by one, or the same target would receive all long requests.
    fn target_of(&self, request: u64) -> usize {
        let count = self.targets.len() as u64;
        self.targets[usize::try_from((request + request / LONG_EVERY) % count).unwrap_or_default()]
    }
}

impl Traffic {
    pub(crate) fn new(per_second: f64, long: Duration) -> Traffic {
        Traffic {
            per_second,
            long,
            sent: 0,
            failed: 0,
            excused: 0,
            healthy: BTreeSet::new(),
            fallback: BTreeSet::new(),
            silent: BTreeSet::new(),
            dead: BTreeSet::new(),
            silent_healthy: 0,
            current: None,
            stretches: VecDeque::new(),
            lost_until: BTreeMap::new(),
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        Requests { sent: self.sent, failed: self.failed }
    }

    /// The failed requests that no world fault excuses.
    pub(crate) fn inexcusable(&self) -> u64 {
        self.failed - self.excused
    }

    /// Sends all requests that are due by `now`, to the targets since the last change.
    pub(crate) fn catch_up(&mut self, now: Time) {
        let (first, last) = (self.sent + 1, self.sent_by(now));
        if last < first {
            return;
        }
        self.sent = last;
        let targets = self.targets();
        // If a run takes the other members out beside the dead ones, the capacity in service shows it.
        let all_died = self.healthy.is_empty() && !self.dead.is_empty();
        if targets.is_empty() {
            self.failed += last - first + 1;
            self.excused += if all_died { last - first + 1 } else { 0 };
            return;
        }
        let stretch = Stretch { first, last, targets };
        if self.silent_healthy > 0 || self.healthy.is_empty() {
            for request in first..=last {
                let target = stretch.target_of(request);
                if self.silent.contains(&target) {
                    self.failed += 1;
                    self.excused += u64::from(all_died || self.dead.contains(&target));
                }
            }
        }
        self.remember(now, stretch);
    }

    /// Sets how an instance receives requests from now on. The caller has called `catch_up`.
    pub(crate) fn route(&mut self, instance: usize, route: Route, serving: bool, dead: bool) {
        let silent = !serving && route != Route::None;
        let was_counted = self.healthy.contains(&instance) && self.silent.contains(&instance);
        let moved = set(&mut self.healthy, instance, route == Route::Healthy)
            | set(&mut self.fallback, instance, route == Route::Fallback);
        set(&mut self.silent, instance, silent);
        set(&mut self.dead, instance, dead);
        let is_counted = silent && route == Route::Healthy;
        self.silent_healthy = self.silent_healthy + usize::from(is_counted) - usize::from(was_counted);
        if moved {
            self.current = None;
        }
    }

    /// Counts the requests in flight on an instance as lost. The instance has answered since `since`.
    pub(crate) fn lose_in_flight(&mut self, now: Time, instance: usize, since: Time, excused: bool) {
        let after = self.sent_by(since).max(self.lost_until.get(&instance).copied().unwrap_or_default());
        let long = self.sent_by(now.saturating_sub(self.long)).max(after);
        let short = self.sent_by(now.saturating_sub(SHORT)).max(after);
        let mut lost = 0;
        for stretch in self.stretches.iter().filter(|stretch| stretch.last > long) {
            if stretch.targets.binary_search(&instance).is_err() {
                continue;
            }
            let mut hit = |request: u64| lost += u64::from(stretch.target_of(request) == instance);
            let first_long = stretch.first.max(long + 1).next_multiple_of(LONG_EVERY);
            (first_long..=stretch.last).step_by(100).for_each(&mut hit);
            let shorts = stretch.first.max(short + 1)..=stretch.last;
            shorts.filter(|request| request % LONG_EVERY != 0).for_each(&mut hit);
        }
        self.failed += lost;
        self.excused += if excused { lost } else { 0 };
        self.lost_until.insert(instance, self.sent);
    }

    /// How many requests were sent by a time. The nth request is sent after n intervals.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rehearsal's requests are few and not negative"
    )]
    fn sent_by(&self, time: Time) -> u64 {
        (time.as_secs_f64() * self.per_second + 1e-9) as u64
    }

    fn targets(&mut self) -> Arc<[usize]> {
        let chosen = if self.healthy.is_empty() { &self.fallback } else { &self.healthy };
        Arc::clone(self.current.get_or_insert_with(|| chosen.iter().copied().collect()))
    }

    fn remember(&mut self, now: Time, stretch: Stretch) {
        let oldest = self.sent_by(now.saturating_sub(self.long));
        while self.stretches.front().is_some_and(|stretch| stretch.last <= oldest) {
            self.stretches.pop_front();
        }
        match self.stretches.back_mut() {
            Some(last) if Arc::ptr_eq(&last.targets, &stretch.targets) => last.last = stretch.last,
            _ => self.stretches.push_back(stretch),
        }
    }
}

/// Adds an instance to a set or removes it. Returns whether the set changed.
fn set(of: &mut BTreeSet<usize>, instance: usize, member: bool) -> bool {
    if member { of.insert(instance) } else { of.remove(&instance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    fn two_healthy() -> Traffic {
        let mut traffic = Traffic::new(50.0, Duration::from_secs(25));
        traffic.route(0, Route::Healthy, true, false);
        traffic.route(1, Route::Healthy, true, false);
        traffic
    }

    #[test]
    fn requests_are_sent_at_a_steady_rate_and_none_is_lost_while_all_targets_answer() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(3_600));
        assert_eq!(traffic.requests(), Requests { sent: 180_000, failed: 0 });
    }

    #[test]
    fn a_healthy_target_that_does_not_answer_loses_its_share() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(10));
        traffic.route(1, Route::Healthy, false, false);
        traffic.catch_up(seconds(20));
        assert_eq!(traffic.requests().sent, 1_000);
        let lost = traffic.requests().failed;
        // Half of the requests, give or take a few: the round robin shifts with every hundredth request.
        assert!((248..=252).contains(&lost), "{lost}");
        traffic.route(1, Route::Fallback, false, false);
        traffic.catch_up(seconds(30));
        assert_eq!(traffic.requests(), Requests { sent: 1_500, failed: lost }, "unhealthy targets receive no requests");
    }

    #[test]
    fn without_targets_all_requests_are_lost_and_unhealthy_targets_alone_receive_requests() {
        let mut traffic = Traffic::new(50.0, Duration::from_secs(25));
        traffic.catch_up(seconds(2));
        assert_eq!(traffic.requests().failed, 100);
        traffic.route(0, Route::Fallback, true, false);
        traffic.route(1, Route::Fallback, false, false);
        traffic.catch_up(seconds(4));
        assert_eq!(traffic.requests().sent, 200);
        assert!((148..=152).contains(&traffic.requests().failed), "{:?}", traffic.requests());
    }

    #[test]
    fn requests_in_flight_on_a_lost_target_are_lost_once() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(100));
        // Fifty a second for 25 s make 12 or 13 long requests, half of them on each target. Four short ones are sent in
        // 80 ms.
        traffic.lose_in_flight(seconds(100), 0, seconds(0), false);
        let lost = traffic.requests().failed;
        assert!((7..=9).contains(&lost), "{lost}");
        traffic.lose_in_flight(seconds(100), 0, seconds(0), false);
        assert_eq!(traffic.requests().failed, lost);
    }

    #[test]
    fn a_target_without_requests_for_the_longest_request_time_loses_nothing() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(100));
        traffic.route(0, Route::None, true, false);
        traffic.catch_up(seconds(112));
        let mut early = traffic.clone();
        early.lose_in_flight(seconds(112), 0, seconds(0), false);
        assert!((2..=4).contains(&early.requests().failed), "{:?}", early.requests());
        traffic.catch_up(seconds(126));
        traffic.lose_in_flight(seconds(126), 0, seconds(0), false);
        assert_eq!(traffic.requests().failed, 0);
    }

    #[test]
    fn requests_that_a_fault_killed_are_lost_and_excused() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(100));
        traffic.lose_in_flight(seconds(100), 0, seconds(0), true);
        traffic.route(0, Route::Healthy, false, true);
        traffic.catch_up(seconds(110));
        assert!(traffic.requests().failed > 240);
        assert_eq!(traffic.inexcusable(), 0);

        // With the last target dead, no target is left. Without the deregistration there would be one.
        traffic.route(1, Route::None, true, false);
        traffic.route(0, Route::Fallback, false, true);
        traffic.catch_up(seconds(120));
        assert_eq!(traffic.inexcusable(), 0);
        traffic.route(0, Route::None, false, false);
        traffic.catch_up(seconds(121));
        assert!(traffic.inexcusable() > 0);
    }
}
