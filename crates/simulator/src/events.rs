//! Scheduled events, in the order of time.

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::elb::TargetKey;

/// A scheduled event. `epoch` is the epoch of the resource at the time of scheduling. If the resource has changed
/// since, the event is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A pending instance is running.
    Running { instance: usize, epoch: u32 },
    /// The application on a running instance answers HTTP.
    Serving { instance: usize, epoch: u32 },
    /// A stopping instance is stopped.
    Stopped { instance: usize, epoch: u32 },
    /// A shutting-down instance is terminated.
    Terminated { instance: usize, epoch: u32 },
    /// An instance has rebooted, and its application may come up.
    Rebooted { instance: usize, epoch: u32 },
    /// A pending image is available or has failed.
    Imaged { image: usize },
    /// A backup of a volume is complete.
    BackedUp { snapshot: usize },
    /// A target's health checks have passed or failed often enough to change its health.
    HealthDecided { target: TargetKey, epoch: u32, healthy: bool },
    /// A draining target has drained.
    Drained { target: TargetKey, epoch: u32 },
    /// A command arrives at its agent.
    Delivered { command: usize, invocation: usize },
    /// A command ends on one instance.
    Ended { command: usize, invocation: usize, epoch: u32 },
    /// A member dies: it never answers again.
    MemberDies,
}

/// The scheduled events. Events that are due at the same time happen in the order of [`Order`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<(Time, Order), Event>,
    count: u64,
}

/// World faults come before other events, and then events come in the order in which they were scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Fault(u64),
    Scheduled(u64),
}

impl Queue {
    /// Schedules an event that follows from what happens now.
    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.due.insert((at, Order::Scheduled(self.count)), event);
    }

    /// Schedules a world fault. It comes first at its time, so it makes no difference when the fault is added.
    pub(crate) fn schedule_fault(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.due.insert((at, Order::Fault(self.count)), event);
    }

    /// Removes and returns the next event if it is due by `now`.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(Time, Event)> {
        let entry = self.due.first_entry()?;
        let (at, _) = *entry.key();
        (at <= now).then(|| (at, entry.remove()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn events_come_in_order_of_time_with_faults_first_and_never_early() {
        let mut queue = Queue::default();
        queue.schedule(Duration::from_secs(2), Event::Imaged { image: 2 });
        queue.schedule(Duration::from_secs(1), Event::Imaged { image: 0 });
        queue.schedule(Duration::from_secs(1), Event::Imaged { image: 1 });
        queue.schedule(Duration::from_secs(4), Event::Imaged { image: 4 });
        queue.schedule_fault(Duration::from_secs(1), Event::MemberDies);
        let mut seen = Vec::new();
        while let Some((_, event)) = queue.pop(Duration::from_secs(3)) {
            seen.push(event);
        }
        let images = [0, 1, 2].map(|image| Event::Imaged { image });
        assert_eq!(seen, [&[Event::MemberDies], images.as_slice()].concat());
    }
}
