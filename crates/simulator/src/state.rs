//! The state of the simulated AWS over time: the resources of all services, and the events that change them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::Caller;
use crate::buckets::Buckets;
use crate::clock::Time;
use crate::dice::Dice;
use crate::dynamodb::Table;
use crate::ec2::Ec2;
use crate::elb::{Group, TargetKey};
use crate::events::{Event, Queue};
use crate::faults::Faults;
use crate::iam::Authorizer;
use crate::in_service::InService;
use crate::journal::Journal;
use crate::rds::DbSnapshot;
use crate::report::Span;
use crate::ssm::command::Command;
use crate::traffic::Traffic;
use crate::world::World;

/// The complete state. Only `advance` and calls change it, and both depend on nothing but the state and the time.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) world: Arc<World>,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) now: Time,
    pub(crate) queue: Queue,
    pub(crate) buckets: Buckets,
    /// The caller of the call that is being answered.
    pub(crate) caller: Arc<Caller>,
    pub(crate) authorizer: Authorizer,
    pub(crate) ec2: Ec2,
    pub(crate) groups: Vec<Group>,
    /// How many targets `RegisterTargets` has registered.
    pub(crate) registered: u32,
    pub(crate) commands: Vec<Command>,
    pub(crate) db_snapshots: Vec<DbSnapshot>,
    pub(crate) table: Table,
    pub(crate) traffic: Traffic,
    pub(crate) in_service: InService,
    pub(crate) spans: Vec<Span>,
    pub(crate) journal: Journal,
}

impl State {
    /// Lets all events happen that are due by `now`.
    pub(crate) fn advance(&mut self, now: Time) {
        while let Some((at, event)) = self.queue.pop(now) {
            self.move_to(at);
            self.happen(event);
        }
        self.move_to(now);
    }

    fn move_to(&mut self, time: Time) {
        self.now = self.now.max(time);
        self.traffic.catch_up(self.now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Running { instance, epoch } if self.is_current(instance, epoch) => self.on_running(instance),
            Event::Serving { instance, epoch } if self.is_current(instance, epoch) => self.on_serving(instance),
            Event::Stopped { instance, epoch } if self.is_current(instance, epoch) => self.on_stopped(instance),
            Event::Terminated { instance, epoch } if self.is_current(instance, epoch) => self.on_terminated(instance),
            Event::Rebooted { instance, epoch } if self.is_current(instance, epoch) => self.on_rebooted(instance),
            Event::HealthDecided { target, epoch, healthy } if self.target_epoch(target) == Some(epoch) => {
                self.on_health_decided(target, healthy);
            }
            Event::Drained { target, epoch } if self.target_epoch(target) == Some(epoch) => self.on_drained(target),
            Event::BackedUp { snapshot } => self.on_backed_up(snapshot),
            Event::Imaged { image } => self.on_imaged(image),
            Event::Delivered { command, invocation } => self.on_delivered(command, invocation),
            Event::Ended { command, invocation, epoch } if self.command_epoch(command, invocation) == epoch => {
                self.on_ended(command, invocation);
            }
            Event::MemberDies => self.on_member_dies(),
            // The resource has changed since, so the event is void.
            _ => {}
        }
    }

    fn is_current(&self, instance: usize, epoch: u32) -> bool {
        self.ec2.instances[instance].epoch == epoch
    }

    fn target_epoch(&self, key: TargetKey) -> Option<u32> {
        self.groups[key.group].targets.get(&key.instance).map(|target| target.epoch)
    }

    fn command_epoch(&self, command: usize, invocation: usize) -> u32 {
        self.commands[command].invocations[invocation].epoch
    }

    /// Records a latency that took effect.
    pub(crate) fn record_span(&mut self, kind: &'static str, resource: String, start: Time, end: Time) {
        self.spans.push(Span { kind, resource, start, end });
    }

    /// A time in the format of AWS's XML.
    pub(crate) fn iso(&self, time: Time) -> String {
        // EC2 writes milliseconds, but the format drops zeros. Whole seconds are precise enough.
        let whole = DateTime::from(self.wall(Duration::from_secs(time.as_secs())));
        whole.fmt(Format::DateTime).unwrap_or_default()
    }

    /// A time in the format of JSON and CBOR: seconds since 1970, to the millisecond.
    pub(crate) fn epoch_seconds(&self, time: Time) -> f64 {
        let since = self.wall(time).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (since.as_secs_f64() * 1_000.0).round() / 1_000.0
    }

    fn wall(&self, time: Time) -> SystemTime {
        self.world.start + time
    }
}
