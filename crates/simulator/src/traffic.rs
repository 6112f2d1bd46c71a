//! The fleet's clients. They send at a steady rate throughout, and a rehearsal counts what they lose.
//!
//! A stretch of time in which every target that gets requests answers them costs nothing but an addition. Only where
//! something is wrong are requests looked at one by one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Time;
use crate::report::Requests;

/// Every hundredth request is a long one: an upload, or a function that runs.
const LONG_EVERY: u64 = 100;
/// How long any other request is under way.
const SHORT: Duration = Duration::from_millis(80);

/// Whether a target gets requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It does.
    Healthy,
    /// It does if no target is healthy: a load balancer fails open.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
    Fallback,
    /// It does not.
    None,
}

/// The clients, and the load balancer's view of whom to send them to.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    per_second: f64,
    /// How long a long request is under way.
    long: Duration,
    sent: u64,
    failed: u64,
    /// Those of the failed that a fault of the world killed, and no run.
    excused: u64,
    healthy: BTreeSet<usize>,
    fallback: BTreeSet<usize>,
    /// Those of both sets that do not answer.
    silent: BTreeSet<usize>,
    /// Those that a fault of the world killed.
    dead: BTreeSet<usize>,
    /// How many of the healthy do not answer.
    silent_healthy: usize,
    /// The targets of the current stretch, once known.
    current: Option<Arc<[usize]>>,
    /// The stretches of the last long request's length, oldest first.
    stretches: VecDeque<Stretch>,
    /// The last request that was cut off on a target.
    lost_until: BTreeMap<usize, u64>,
}

/// Requests in a row that were spread over the same targets.
#[derive(Clone, Debug)]
struct Stretch {
    first: u64,
    last: u64,
    targets: Arc<[usize]>,
}

impl Stretch {
    /// Round robin; the long ones are shifted on, or they would all meet the same targets.
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

    /// The lost requests that no fault of the world excuses.
    pub(crate) fn inexcusable(&self) -> u64 {
        self.failed - self.excused
    }

    /// Sends everything due by `now`, to whom it has gone since the last change.
    pub(crate) fn catch_up(&mut self, now: Time) {
        let (first, last) = (self.sent + 1, self.sent_by(now));
        if last < first {
            return;
        }
        self.sent = last;
        let targets = self.targets();
        // Whoever else takes members out beside those that died is told by how many are in service.
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

    /// Where an instance stands from now on. The caller has caught up.
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

    /// Whatever is under way on an instance that answered since `since` is lost.
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

    /// How many requests have been sent at a time: the nth is sent after n intervals.
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

/// Puts an instance into a set or out of it; whether that changed the set.
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
    fn a_steady_rate_is_sent_and_none_is_lost_while_all_answer() {
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
        // Half of them; the turn shifts with every hundredth request.
        assert!((248..=252).contains(&lost), "{lost}");
        traffic.route(1, Route::Fallback, false, false);
        traffic.catch_up(seconds(30));
        assert_eq!(traffic.requests(), Requests { sent: 1_500, failed: lost }, "unhealthy ones get nothing");
    }

    #[test]
    fn with_no_target_everything_is_lost_and_with_unhealthy_ones_they_all_get_requests() {
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
    fn what_is_under_way_when_a_target_goes_is_lost_once() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(100));
        // Fifty a second for 25 s make 12 or 13 long ones, half of them on each; and 4 short ones in 80 ms.
        traffic.lose_in_flight(seconds(100), 0, seconds(0), false);
        let lost = traffic.requests().failed;
        assert!((7..=9).contains(&lost), "{lost}");
        traffic.lose_in_flight(seconds(100), 0, seconds(0), false);
        assert_eq!(traffic.requests().failed, lost);
    }

    #[test]
    fn a_target_that_got_nothing_for_as_long_as_the_longest_request_has_nothing_to_lose() {
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
    fn what_a_fault_killed_is_lost_and_excused() {
        let mut traffic = two_healthy();
        traffic.catch_up(seconds(100));
        traffic.lose_in_flight(seconds(100), 0, seconds(0), true);
        traffic.route(0, Route::Healthy, false, true);
        traffic.catch_up(seconds(110));
        assert!(traffic.requests().failed > 240);
        assert_eq!(traffic.inexcusable(), 0);

        // With the last one dead there is nobody; with one that was only taken out there would have been.
        traffic.route(1, Route::None, true, false);
        traffic.route(0, Route::Fallback, false, true);
        traffic.catch_up(seconds(120));
        assert_eq!(traffic.inexcusable(), 0);
        traffic.route(0, Route::None, false, false);
        traffic.catch_up(seconds(121));
        assert!(traffic.inexcusable() > 0);
    }
}
