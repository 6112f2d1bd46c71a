//! What is going to happen by itself, in order of time.

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::elb::TargetKey;

/// Something due at a time. Its `epoch` is that of the resource when it was scheduled: if the resource has moved on
/// since, the event is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A pending instance runs.
    Running { instance: usize, epoch: u32 },
    /// The application on a running instance answers.
    Serving { instance: usize, epoch: u32 },
    /// A stopping instance is stopped.
    Stopped { instance: usize, epoch: u32 },
    /// An instance that shuts down is terminated.
    Terminated { instance: usize, epoch: u32 },
    /// An instance has rebooted and its application may come up.
    Rebooted { instance: usize, epoch: u32 },
    /// A pending image is done, one way or the other.
    Imaged { image: usize },
    /// A backup of a volume is complete.
    BackedUp { snapshot: usize },
    /// A target's health checks come to a verdict.
    HealthDecided { target: TargetKey, epoch: u32, healthy: bool },
    /// A draining target is gone.
    Drained { target: TargetKey, epoch: u32 },
    /// A command reaches its agent.
    Delivered { command: usize, invocation: usize },
    /// A command ends on one instance.
    Ended { command: usize, invocation: usize, epoch: u32 },
    /// A member stops answering for good.
    MemberDies,
}

/// The events to come. Those due at the same time happen in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<(Time, Order), Event>,
    count: u64,
}

/// What was foreseen comes before what followed from something, and then what was said first, whenever that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Fault(u64),
    Scheduled(u64),
}

impl Queue {
    /// It follows from what happens now.
    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.due.insert((at, Order::Scheduled(self.count)), event);
    }

    /// It happens whatever else does: so it makes no difference when this is said.
    pub(crate) fn schedule_fault(&mut self, at: Time, event: Event) {
        self.count += 1;
        self.due.insert((at, Order::Fault(self.count)), event);
    }

    /// The next event due no later than `now`.
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
    fn events_come_in_order_of_time_then_what_is_foreseen_then_of_scheduling_and_none_early() {
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
