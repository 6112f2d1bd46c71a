//! How many members are in service, over time.

use std::collections::BTreeSet;

use crate::clock::Time;
use crate::report::Capacity;

/// The members in service: those that carry the load-balancer tag, have a healthy target, and answer HTTP.
#[derive(Clone, Debug)]
pub(crate) struct InService {
    instances: BTreeSet<usize>,
    /// The number in service from each time on. No two entries have the same time.
    series: Vec<(Time, u32)>,
    /// When world faults killed a member.
    deaths: Vec<Time>,
    /// How many members must be in service from each time on, where a caller has set it.
    required: Vec<(Time, u32)>,
}

impl InService {
    /// No member is in service at first.
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

    /// How many members were in service at a time.
    pub(crate) fn count_at(&self, time: Time) -> u32 {
        self.series.iter().rev().find(|(at, _)| *at <= time).map_or(0, |(_, count)| *count)
    }

    pub(crate) fn first(&self) -> Option<usize> {
        self.instances.first().copied()
    }

    /// A world fault killed a member. From now on, no run is responsible for that one.
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

    /// The first time at which too few members were in service, and their number then. Dead members do not count as
    /// missing. As many as at the start must be in service, unless a caller has set another number.
    pub(crate) fn shortfall(&self) -> Option<(Time, u32)> {
        let excused = |at: Time| self.deaths.iter().filter(|death| **death <= at).count();
        let required = |at: Time| {
            let said = self.required.iter().rev().find(|(from, _)| *from <= at);
            said.map_or(self.floor(), |(_, members)| *members)
        };
        self.series.iter().copied().find(|(at, count)| (*count as usize) + excused(*at) < required(*at) as usize)
    }

    /// This many members must be in service from now on.
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
    fn the_lowest_number_counts_unless_it_lasts_no_time() {
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
    fn a_dead_member_lowers_the_required_number_by_one() {
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
