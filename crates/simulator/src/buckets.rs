//! Token buckets, which limit how often a call may be made. A call takes a token from every bucket that applies to it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Time;

/// How many tokens a bucket holds, and how many return each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) capacity: f64,
    pub(crate) per_second: f64,
}

/// A rate that admits `capacity` calls at once, and `per_second` calls a second after that.
pub(crate) const fn rate(capacity: u32, per_second: u32) -> Rate {
    Rate { capacity: capacity as f64, per_second: per_second as f64 }
}

/// The name of a bucket, its rate, and how many tokens a call takes from it.
pub(crate) type Demand = (&'static str, Rate, u32);

/// The account's buckets. Each is full until its first use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets {
    levels: BTreeMap<&'static str, (f64, Time)>,
}

impl Buckets {
    /// Takes tokens from all of the buckets. If one bucket has too few, takes from none and returns `false`.
    pub(crate) fn take(&mut self, now: Time, demands: &[Demand]) -> bool {
        let filled: Vec<f64> = demands.iter().map(|(name, rate, _)| self.level(now, name, *rate)).collect();
        let admitted = filled.iter().zip(demands).all(|(level, (_, _, wanted))| *level >= f64::from(*wanted));
        if admitted {
            for (level, (name, _, wanted)) in filled.iter().zip(demands) {
                self.levels.insert(name, (level - f64::from(*wanted), now));
            }
        }
        admitted
    }

    fn level(&self, now: Time, name: &str, rate: Rate) -> f64 {
        self.levels.get(name).map_or(rate.capacity, |(level, since)| {
            let idle: Duration = now.saturating_sub(*since);
            (level + idle.as_secs_f64() * rate.per_second).min(rate.capacity)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_admits_its_capacity_and_then_its_refill() {
        let mut buckets = Buckets::default();
        let take = |buckets: &mut Buckets, second| {
            buckets.take(Duration::from_secs(second), &[("RunInstances", rate(5, 2), 1)])
        };
        assert_eq!((0..7).filter(|_| take(&mut buckets, 0)).count(), 5);
        assert_eq!((0..7).filter(|_| take(&mut buckets, 1)).count(), 2);
        assert_eq!((0..7).filter(|_| take(&mut buckets, 60)).count(), 5);
    }

    #[test]
    fn a_refused_call_takes_from_no_bucket() {
        let mut buckets = Buckets::default();
        assert!(!buckets.take(Duration::ZERO, &[("wide", rate(5, 1), 1), ("narrow", rate(1, 1), 2)]));
        assert!(buckets.take(Duration::ZERO, &[("wide", rate(5, 1), 5)]));
    }
}
