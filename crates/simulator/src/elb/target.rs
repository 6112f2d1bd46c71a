//! How targets become healthy, become unhealthy, and drain.

use std::time::Duration;

use super::{OWN_GROUP, TargetKey};
use crate::clock::Time;
use crate::ec2::instance::InstanceState;
use crate::events::Event;
use crate::state::State;
use crate::traffic::Route;

/// An instance in a target group.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// When it was registered. A health check follows after every interval.
    pub(crate) registered: Time,
    pub(crate) health: Health,
    /// Whether its health checks pass at present, and since when. For a draining target, `passing_since` is when it
    /// began to drain.
    passing: bool,
    passing_since: Time,
    /// Grows with each change of the target. An event that was scheduled in an earlier epoch is void.
    pub(crate) epoch: u32,
    /// Whether a world fault makes all of its checks fail.
    pub(crate) never_healthy: bool,
}

/// The states of a target. Whether it is `unused` depends on its instance.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Initial,
    Healthy,
    Unhealthy,
    Draining,
}

impl Target {
    /// The `ordinal`th registration. Two registrations of one instance never share an epoch, so an event of the earlier
    /// one is void for the later one.
    pub(crate) fn new(now: Time, health: Health, ordinal: u32, never_healthy: bool) -> Target {
        Target {
            registered: now,
            health,
            passing: health == Health::Healthy,
            passing_since: now,
            epoch: ordinal << 10,
            never_healthy,
        }
    }
}

impl State {
    /// Updates health checks and request routing after a change of an instance.
    pub(crate) fn reconsider_targets(&mut self, instance: usize) {
        for group in 0..self.groups.len() {
            self.reconsider_target(TargetKey { group, instance });
        }
        self.reroute(instance);
    }

    fn reconsider_target(&mut self, key: TargetKey) {
        let now = self.now;
        let instance = &self.ec2.instances[key.instance];
        let (serving, stopped) = (instance.serving.is_some(), instance.state == InstanceState::Stopped);
        let Some(target) = self.groups[key.group].targets.get_mut(&key.instance) else { return };
        if target.health == Health::Draining {
            return;
        }
        let passing = serving && !target.never_healthy;
        if stopped {
            // A stopped target is unused. Its checks begin anew when its instance runs again.
            target.health = Health::Initial;
            (target.passing, target.passing_since) = (false, now);
            target.epoch += 1;
        } else if passing != target.passing {
            (target.passing, target.passing_since) = (passing, now);
            self.schedule_health_change(key);
        } else if target.health == Health::Initial && !passing && instance.up_since == now {
            target.passing_since = now;
            self.schedule_health_change(key);
        }
    }

    /// Schedules the next change of health. It happens if nothing else changes before.
    pub(crate) fn schedule_health_change(&mut self, key: TargetKey) {
        let world = &self.world;
        let Some(target) = self.groups[key.group].targets.get_mut(&key.instance) else { return };
        target.epoch += 1;
        // A target that was never healthy becomes healthy with one passed check. A target that recovers must pass
        // `healthy_threshold` checks.
        let checks = match (target.health, target.passing) {
            (Health::Initial, true) => 1,
            (Health::Initial | Health::Healthy, false) => world.unhealthy_threshold,
            (Health::Unhealthy, true) => world.healthy_threshold,
            _ => return,
        };
        let at = nth_check(target.registered, target.passing_since, checks, world.health_check_interval);
        let (epoch, healthy) = (target.epoch, target.passing);
        self.queue.schedule(at, Event::HealthDecided { target: key, epoch, healthy });
    }

    pub(crate) fn on_health_decided(&mut self, key: TargetKey, healthy: bool) {
        let Some(target) = self.groups[key.group].targets.get_mut(&key.instance) else { return };
        target.health = if healthy { Health::Healthy } else { Health::Unhealthy };
        let start = target.passing_since;
        if healthy {
            self.record_span("health-checks", self.ec2.instances[key.instance].id.clone(), start, self.now);
        }
        self.reroute(key.instance);
    }

    /// A target begins to drain: it receives no new requests and finishes the requests it has.
    pub(super) fn begin_draining(&mut self, key: TargetKey) {
        let at = self.now + self.world.deregistration_delay;
        let now = self.now;
        let Some(target) = self.groups[key.group].targets.get_mut(&key.instance) else { return };
        if target.health == Health::Draining {
            return;
        }
        target.health = Health::Draining;
        target.passing_since = now;
        target.epoch += 1;
        let epoch = target.epoch;
        self.queue.schedule(at, Event::Drained { target: key, epoch });
        self.reroute(key.instance);
    }

    pub(crate) fn on_drained(&mut self, key: TargetKey) {
        let Some(target) = self.groups[key.group].targets.remove(&key.instance) else { return };
        let instance = &self.ec2.instances[key.instance];
        if key.group == OWN_GROUP {
            let (id, serving, excused) = (instance.id.clone(), instance.serving, instance.dead);
            self.record_span("drain", id, target.passing_since, self.now);
            // Requests that are still in flight after the deregistration delay are lost.
            if let Some(since) = serving {
                self.traffic.lose_in_flight(self.now, key.instance, since, excused);
            }
        }
        self.reroute(key.instance);
    }

    /// Removes a terminated instance from all groups.
    pub(crate) fn drop_targets(&mut self, instance: usize) {
        for group in &mut self.groups {
            group.targets.remove(&instance);
        }
        self.reroute(instance);
    }

    /// Tells the traffic and the capacity in service how an instance counts from now on.
    pub(crate) fn reroute(&mut self, instance: usize) {
        let this = &self.ec2.instances[instance];
        let serving = this.serving.is_some();
        let health = self.groups[OWN_GROUP].targets.get(&instance).map(|target| target.health);
        let route = match health {
            Some(Health::Healthy) => Route::Healthy,
            Some(Health::Initial | Health::Unhealthy) if this.state == InstanceState::Running => Route::Fallback,
            _ => Route::None,
        };
        self.traffic.route(instance, route, serving, this.dead);
        let tagged = !this.foreign && this.has_tag(&self.world.load_balancer_tag);
        self.in_service.set(self.now, instance, serving && tagged && health == Some(Health::Healthy));
    }
}

/// When the `n`th check after `since` is due. A check at `since` itself does not count.
fn nth_check(registered: Time, since: Time, n: u32, interval: Duration) -> Time {
    let interval = interval.max(Duration::from_millis(1));
    let passed = since.saturating_sub(registered).as_nanos() / interval.as_nanos();
    let nth = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(n.max(1));
    registered + interval.saturating_mul(nth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_health_check_follows_registration_after_every_interval() {
        let check = |registered, since, n| {
            let seconds = Duration::from_secs;
            nth_check(seconds(registered), seconds(since), n, seconds(10)).as_secs()
        };
        assert_eq!(check(3, 3, 1), 13);
        assert_eq!(check(3, 12, 1), 13);
        assert_eq!(check(3, 13, 1), 23);
        assert_eq!(check(3, 14, 5), 63);
    }
}
