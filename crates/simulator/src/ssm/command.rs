//! Commands, and how they progress over time.

use std::time::Duration;

use super::configure::{self, Configure};
use crate::clock::Time;
use crate::events::Event;
use crate::state::State;

/// A command on one or more instances.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(super) id: String,
    pub(super) comment: String,
    pub(super) configure: Configure,
    pub(super) requested: Time,
    /// From when on other calls show the command.
    pub(super) visible: Time,
    /// How long the command waits for an agent.
    pub(super) delivery_timeout: Duration,
    pub(crate) invocations: Vec<Invocation>,
}

/// A command on one instance.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(super) instance: usize,
    pub(super) status: Status,
    /// Grows with each change of the invocation. An event that was scheduled in an earlier epoch is void.
    pub(crate) epoch: u32,
    pub(super) started: Option<Time>,
    /// When its script ends, once it has started.
    pub(super) ends: Time,
    pub(super) ended: Option<Time>,
    pub(super) result: ScriptResult,
}

/// The result of a finished script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ScriptResult {
    pub(super) exit_code: i32,
    pub(super) output: String,
}

/// The states of an invocation.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Success,
    Failed,
    Cancelling,
    Cancelled,
    DeliveryTimedOut,
    ExecutionTimedOut,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Pending => "Pending",
            Status::InProgress => "InProgress",
            Status::Success => "Success",
            Status::Failed => "Failed",
            Status::Cancelling => "Cancelling",
            Status::Cancelled => "Cancelled",
            Status::DeliveryTimedOut | Status::ExecutionTimedOut => "TimedOut",
        }
    }

    pub(super) fn details(self) -> &'static str {
        match self {
            Status::DeliveryTimedOut => "Delivery Timed Out",
            Status::ExecutionTimedOut => "Execution Timed Out",
            other => other.name(),
        }
    }

    pub(super) fn finished(self) -> bool {
        !matches!(self, Status::Pending | Status::InProgress | Status::Cancelling)
    }
}

/// From the call until the agent receives the command.
pub(super) const DELIVERY: Duration = Duration::from_secs(1);
/// From a cancellation until the script has ended.
pub(super) const CANCELLATION: Duration = Duration::from_secs(2);
/// The document's execution timeout. After it, a command whose agent is lost is timed out.
const EXECUTION_TIMEOUT: Duration = Duration::from_secs(7_200);

impl State {
    /// A command arrives at an agent. Without an agent it waits until its delivery timeout.
    pub(crate) fn on_delivered(&mut self, command: usize, invocation: usize) {
        let this = &self.commands[command].invocations[invocation];
        if this.status != Status::Pending {
            return;
        }
        let instance = this.instance;
        let epoch = this.epoch;
        if !self.ec2.instances[instance].agent_online(self.now) {
            let deadline = self.commands[command].requested + self.commands[command].delivery_timeout;
            self.queue.schedule(deadline.max(self.now), Event::Ended { command, invocation, epoch });
            return;
        }
        let ends = self.hop_ends(command, instance);
        let this = &mut self.commands[command].invocations[invocation];
        this.status = Status::InProgress;
        (this.started, this.ends) = (Some(self.now), ends);
        self.queue.schedule(ends, Event::Ended { command, invocation, epoch });
    }

    pub(crate) fn on_ended(&mut self, command: usize, invocation: usize) {
        let this = &self.commands[command].invocations[invocation];
        let (status, result) = match this.status {
            Status::Pending => (Status::DeliveryTimedOut, ScriptResult::default()),
            Status::Cancelling => (Status::Cancelled, ScriptResult::default()),
            Status::InProgress if self.ec2.instances[this.instance].agent_online(self.now) => {
                let result = self.conclude_hop(command, this.instance);
                (if result.exit_code == 0 { Status::Success } else { Status::Failed }, result)
            }
            Status::InProgress => (Status::ExecutionTimedOut, ScriptResult::default()),
            _ => return,
        };
        let this = &mut self.commands[command].invocations[invocation];
        (this.status, this.result, this.ended) = (status, result, Some(self.now));
        let started = this.started;
        if let (Status::Success | Status::Failed, Some(started)) = (status, started) {
            let id = self.commands[command].id.clone();
            self.record_span("command", id, started, self.now);
        }
    }

    /// The agent of an instance is lost. Its commands stay in progress until they time out.
    pub(crate) fn strand_commands(&mut self, instance: usize) {
        for command in 0..self.commands.len() {
            for invocation in 0..self.commands[command].invocations.len() {
                let this = &mut self.commands[command].invocations[invocation];
                if this.instance != instance || this.status != Status::InProgress {
                    continue;
                }
                this.epoch += 1;
                let (epoch, started) = (this.epoch, this.started.unwrap_or(self.now));
                self.queue.schedule(started + EXECUTION_TIMEOUT, Event::Ended { command, invocation, epoch });
            }
        }
    }

    /// When a script that starts now ends. Each hop of a run has one verdict: a repeated command waits for the first
    /// one and prints the same output. A command for another hop waits for the lock on the machine, and then takes its
    /// own time.
    fn hop_ends(&mut self, command: usize, instance: usize) -> Time {
        let configure = &self.commands[command].configure;
        let mut free = self.now;
        for other in self.others_on(command, instance) {
            let same = other.0.configure.hop() == configure.hop();
            match (other.1.status, same) {
                (Status::Success | Status::Failed, true) => return self.now + configure::REPEAT,
                (Status::InProgress, true) => return other.1.ends + configure::REPEAT,
                (Status::InProgress, false) => free = free.max(other.1.ends),
                _ => {}
            }
        }
        self.stop_serving(instance);
        free + self.dice.latency("command", command as u64, self.world.latencies.command)
    }

    fn others_on(&self, command: usize, instance: usize) -> Vec<(&Command, &Invocation)> {
        let mut found = Vec::new();
        for (_, other) in self.commands.iter().enumerate().filter(|(index, _)| *index != command) {
            found.extend(other.invocations.iter().filter(|one| one.instance == instance).map(|one| (other, one)));
        }
        found
    }

    fn conclude_hop(&mut self, command: usize, instance: usize) -> ScriptResult {
        let configure = self.commands[command].configure.clone();
        let repeated = self.others_on(command, instance).into_iter().find_map(|(other, one)| {
            let done = matches!(one.status, Status::Success | Status::Failed);
            (done && other.configure.hop() == configure.hop()).then(|| one.result.clone())
        });
        if let Some(result) = repeated {
            return result;
        }
        let installed = self.ec2.instances[instance].installed.version.clone();
        let (result, effect) = configure::run(&configure, installed.as_deref(), self.faults.migration_fails());
        if let Some(sound) = effect {
            self.install(instance, configure.version, sound);
        }
        result
    }
}
