//! How instances change over time: they come up, serve, report, and stop or terminate.

use std::time::Duration;

use super::instance::{Installed, InstanceState};
use crate::clock::Time;
use crate::events::Event;
use crate::state::State;
use crate::world::Range;

impl State {
    /// A launched or started instance enters the state `pending`.
    pub(super) fn become_pending(&mut self, instance: usize) {
        let (kind, range) = match self.ec2.instances[instance].boots {
            0 => ("launch", self.world.latencies.launch),
            _ => ("start", self.world.latencies.start),
        };
        let epoch = self.enter(instance, InstanceState::Pending);
        if kind == "start" {
            self.show_stale_state(instance, InstanceState::Stopped);
        }
        let at = self.now + self.draw(kind, instance, range);
        self.queue.schedule(at, Event::Running { instance, epoch });
    }

    pub(crate) fn on_running(&mut self, instance: usize) {
        let kind = if self.ec2.instances[instance].boots == 0 { "launch" } else { "start" };
        self.end_span(kind, instance);
        self.enter(instance, InstanceState::Running);
        if kind == "start" {
            self.show_stale_state(instance, InstanceState::Pending);
        }
        self.come_up(instance);
    }

    /// For a while, Describe calls return the state that the instance had before.
    fn show_stale_state(&mut self, instance: usize, before: InstanceState) {
        let lag = self.draw("described", instance, self.world.latencies.visibility);
        self.ec2.instances[instance].stale = Some((before, self.now + lag));
    }

    /// The machine is up. Its agent, status checks and application follow, each after its own latency.
    fn come_up(&mut self, instance: usize) {
        let latencies = self.world.latencies.clone();
        let first = self.ec2.instances[instance].boots == 0;
        let agent = self.now + self.draw("agent", instance, latencies.agent);
        let checked = self.now + self.draw("status-checks", instance, latencies.status_checks);
        let (kind, range) = if first { ("first-boot", latencies.first_boot) } else { ("boot", latencies.boot) };
        let serves = self.now + self.draw(kind, instance, range);
        let reports = !self.faults.agent_never_online();
        let this = &mut self.ec2.instances[instance];
        this.boots += 1;
        this.up_since = self.now;
        this.agent = (reports && !this.impaired).then_some(agent);
        this.checked = (!this.impaired).then_some(checked);
        (this.agent_seen, this.checks_seen) = (false, false);
        if this.installed.sound && !this.impaired && !this.dead {
            let epoch = this.epoch;
            self.queue.schedule(serves, Event::Serving { instance, epoch });
        }
        self.reconsider_targets(instance);
    }

    pub(crate) fn on_serving(&mut self, instance: usize) {
        let this = &mut self.ec2.instances[instance];
        this.serving = Some(self.now);
        let (kind, start) = (if this.boots == 1 { "first-boot" } else { "boot" }, this.up_since);
        self.record_instance_span(kind, instance, start, self.now);
        self.reconsider_targets(instance);
    }

    pub(super) fn begin_stop(&mut self, instance: usize) {
        let at = self.now + self.draw("stop", instance, self.world.latencies.stop);
        self.go_silent(instance);
        let epoch = self.enter(instance, InstanceState::Stopping);
        self.queue.schedule(at, Event::Stopped { instance, epoch });
        self.reconsider_targets(instance);
    }

    pub(crate) fn on_stopped(&mut self, instance: usize) {
        self.end_span("stop", instance);
        self.enter(instance, InstanceState::Stopped);
        self.reconsider_targets(instance);
    }

    pub(super) fn begin_terminate(&mut self, instance: usize) {
        let at = self.now + self.draw("terminate", instance, self.world.latencies.terminate);
        self.go_silent(instance);
        let epoch = self.enter(instance, InstanceState::ShuttingDown);
        self.queue.schedule(at, Event::Terminated { instance, epoch });
        self.reconsider_targets(instance);
    }

    pub(crate) fn on_terminated(&mut self, instance: usize) {
        self.end_span("terminate", instance);
        self.enter(instance, InstanceState::Terminated);
        self.drop_targets(instance);
    }

    /// A running instance restarts. It stays in the state `running`.
    pub(super) fn begin_reboot(&mut self, instance: usize) {
        let after = self.draw("reboot", instance, self.world.latencies.reboot);
        self.go_silent(instance);
        let this = &mut self.ec2.instances[instance];
        this.epoch += 1;
        let epoch = this.epoch;
        self.queue.schedule(self.now + after, Event::Rebooted { instance, epoch });
        self.reconsider_targets(instance);
    }

    pub(crate) fn on_rebooted(&mut self, instance: usize) {
        let this = &mut self.ec2.instances[instance];
        // Count the time before the reboot now: `up_since` is about to change.
        this.ran = this.ran_until(self.now);
        this.since = self.now;
        self.come_up(instance);
    }

    /// The first member in service dies. It stays `running`, but never serves or reports again.
    pub(crate) fn on_member_dies(&mut self) {
        let Some(instance) = self.in_service.first() else { return };
        self.ec2.instances[instance].dead = true;
        self.in_service.excuse_death(self.now);
        self.go_silent(instance);
        self.ec2.instances[instance].epoch += 1;
        self.reconsider_targets(instance);
    }

    /// The application stops answering and the agent stops reporting. Requests in flight are lost, and commands hang.
    fn go_silent(&mut self, instance: usize) {
        let now = self.now;
        let this = &mut self.ec2.instances[instance];
        this.agent_registered |= this.agent.is_some_and(|online| online <= now);
        (this.agent, this.checked) = (None, None);
        let (was_serving, excused) = (this.serving.take(), this.dead);
        if let Some(since) = was_serving {
            self.traffic.lose_in_flight(self.now, instance, since, excused);
        }
        self.strand_commands(instance);
    }

    /// Enters a state and returns the epoch that begins.
    fn enter(&mut self, instance: usize, state: InstanceState) -> u32 {
        let now = self.now;
        let this = &mut self.ec2.instances[instance];
        this.ran = this.ran_until(now);
        this.state = state;
        this.since = now;
        this.epoch += 1;
        this.epoch
    }

    /// The application goes down while the machine stays up. It answers again after the next boot.
    pub(crate) fn stop_serving(&mut self, instance: usize) {
        if let Some(since) = self.ec2.instances[instance].serving.take() {
            self.traffic.lose_in_flight(self.now, instance, since, false);
        }
        // This voids the events of services that were still coming up.
        self.ec2.instances[instance].epoch += 1;
        self.reconsider_targets(instance);
    }

    /// A configure command has changed what is installed.
    pub(crate) fn install(&mut self, instance: usize, version: String, sound: bool) {
        self.ec2.instances[instance].installed = Installed { version: Some(version), sound };
    }

    /// Draws a latency for the present epoch of an instance.
    fn draw(&self, kind: &str, instance: usize, range: Range) -> Duration {
        // No instance changes a thousand times, so each change of each instance has its own ordinal.
        let ordinal = instance as u64 * 1_000 + u64::from(self.ec2.instances[instance].epoch);
        self.dice.latency(kind, ordinal, range)
    }

    /// Records the time in the state that the instance is about to leave.
    fn end_span(&mut self, kind: &'static str, instance: usize) {
        let start = self.ec2.instances[instance].since;
        self.record_instance_span(kind, instance, start, self.now);
    }

    fn record_instance_span(&mut self, kind: &'static str, instance: usize, start: Time, end: Time) {
        if !self.ec2.instances[instance].foreign {
            let resource = self.ec2.instances[instance].id.clone();
            self.record_span(kind, resource, start, end);
        }
    }

    /// A caller has seen that the agent is online. The wait for it is therefore a latency of the rehearsal.
    pub(crate) fn record_agent_wait(&mut self, instance: usize) {
        let this = &mut self.ec2.instances[instance];
        if let (false, Some(online)) = (this.agent_seen, this.agent) {
            this.agent_seen = true;
            let start = this.up_since;
            self.record_instance_span("agent", instance, start, online);
        }
    }

    /// A caller has seen that the status checks passed. The wait for them is therefore a latency of the rehearsal.
    pub(crate) fn record_checks_wait(&mut self, instance: usize) {
        let this = &mut self.ec2.instances[instance];
        if let (false, Some(passed)) = (this.checks_seen, this.checked) {
            this.checks_seen = true;
            let start = this.up_since;
            self.record_instance_span("status-checks", instance, start, passed);
        }
    }
}
