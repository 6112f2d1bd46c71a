//! How many members are in service, over time.

use std::collections::BTreeSet;

use crate::clock::Time;
use crate::report::Capacity;

/// Who is in service: carries the load-balancer tag, has a healthy target, and answers.
#[derive(Clone, Debug)]
pub(crate) struct InService {
    instances: BTreeSet<usize>,
    /// The number from each time on; never two for one time.
    series: Vec<(Time, u32)>,
    /// When faults of the world took one away.
    deaths: Vec<Time>,
    /// How many must be in service from each time on, once somebody has said so.
    required: Vec<(Time, u32)>,
}

impl InService {
    /// Nobody is in service at the first instant, until someone is placed.
    pub(crate) fn new() -> InService {
        InService {
            instances: BTreeSet::new(),
            series: vec![(Time::ZERO, 0)],
            deaths: Vec::new(),
            required: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, now: Time, instance: usize, in_service: bool) {
        let changed = if in_service { self.instances.insert(instance) } else { self.instances.remove(&instance) };
        if changed {
            let count = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
            match self.series.last_mut() {
                Some((at, last)) if *at == now => *last = count,
                _ => self.series.push((now, count)),
            }
        }
    }

    pub(crate) fn contains(&self, instance: usize) -> bool {
        self.instances.contains(&instance)
    }

    /// How many were in service at a time.
    pub(crate) fn count_at(&self, time: Time) -> u32 {
        self.series.iter().rev().find(|(at, _)| *at <= time).map_or(0, |(_, count)| *count)
    }

    pub(crate) fn first(&self) -> Option<usize> {
        self.instances.first().copied()
    }

    /// One less from now on is no run's doing.
    pub(crate) fn excuse_death(&mut self, now: Time) {
        self.deaths.push(now);
    }

    pub(crate) fn capacity(&self) -> Capacity {
        Capacity {
            floor: self.floor(),
            lowest: self.series.iter().map(|(_, count)| *count).min().unwrap_or_default(),
            series: self.series.iter().map(|(at, count)| (at.as_secs_f64(), *count)).collect(),
        }
    }

    /// The first time, if any, at which fewer were in service than must be, deaths aside: as many as at the first instant,
    /// unless somebody has said otherwise.
    pub(crate) fn shortfall(&self) -> Option<(Time, u32)> {
        let excused = |at: Time| self.deaths.iter().filter(|death| **death <= at).count();
        let required = |at: Time| {
            let said = self.required.iter().rev().find(|(from, _)| *from <= at);
            said.map_or(self.floor(), |(_, members)| *members)
        };
        self.series.iter().copied().find(|(at, count)| (*count as usize) + excused(*at) < required(*at) as usize)
    }

    /// So many must be in service from now on.
    pub(crate) fn require(&mut self, now: Time, members: u32) {
        self.required.push((now, members));
    }

    pub(crate) fn floor(&self) -> u32 {
        self.series.first().map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_lowest_is_seen_and_what_lasts_no_time_is_not() {
        let mut in_service = InService::new();
        let at = Duration::from_secs;
        in_service.set(at(0), 0, true);
        in_service.set(at(0), 1, true);
        in_service.set(at(5), 0, false);
        in_service.set(at(5), 2, true);
        assert_eq!(in_service.capacity().lowest, 2);
        assert_eq!(in_service.shortfall(), None);
        in_service.set(at(6), 2, false);
        in_service.set(at(7), 2, true);
        assert_eq!(
            in_service.capacity(),
            Capacity { floor: 2, lowest: 1, series: vec![(0.0, 2), (5.0, 2), (6.0, 1), (7.0, 2)] }
        );
        assert_eq!(in_service.shortfall(), Some((at(6), 1)));
    }

    #[test]
    fn a_death_lowers_what_a_run_must_keep_by_one() {
        let mut in_service = InService::new();
        let at = Duration::from_secs;
        in_service.set(at(0), 0, true);
        in_service.set(at(0), 1, true);
        in_service.excuse_death(at(5));
        in_service.set(at(5), 0, false);
        assert_eq!(in_service.shortfall(), None);
        in_service.set(at(6), 1, false);
        assert_eq!(in_service.shortfall(), Some((at(6), 0)));
    }
}
