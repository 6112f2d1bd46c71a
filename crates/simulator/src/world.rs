//! What exists before a rehearsal begins: plain data, filled in by whoever rehearses.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The account, the fleet and the clients as they are at the first instant.
#[derive(Clone, Debug)]
pub struct World {
    /// The one number every draw follows from.
    pub seed: u64,
    /// The virtual wall time of the first instant.
    pub start: SystemTime,
    /// The region all of it is in.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
    /// The tag that every resource of the fleet carries.
    pub fleet_tag: Tag,
    /// The tag of those that take traffic.
    pub load_balancer_tag: Tag,
    /// The key under which a run marks what it makes.
    pub run_tag_key: String,
    /// The key under which an image says its version.
    pub version_tag_key: String,
    /// The image that every member is a clone of.
    pub golden_image: String,
    /// The version the golden image carries.
    pub version: String,
    /// The golden image's name.
    pub image_name: String,
    /// How many members there are.
    pub members: u32,
    /// The members' instance type.
    pub member_type: String,
    /// Where members may be; they are spread evenly.
    pub subnets: Vec<Subnet>,
    /// The members' security groups.
    pub security_groups: Vec<String>,
    /// The name of the members' instance profile.
    pub instance_profile: Option<String>,
    /// The target group's ARN.
    pub target_group: String,
    /// The port targets listen on.
    pub target_port: u16,
    /// How long a target drains.
    pub deregistration_delay: Duration,
    /// From one health check of a target to the next.
    pub health_check_interval: Duration,
    /// ProcessCall checks in a row that an unhealthy target needs.
    pub healthy_threshold: u32,
    /// Failed checks in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// Targets that fit into the group.
    pub target_quota: u32,
    /// The account's quota of running vCPUs.
    pub vcpu_quota: u32,
    /// What the data lives on, if it can be backed up.
    pub data: Option<Data>,
    /// What that is tagged with.
    pub data_tags: BTreeMap<String, String>,
    /// Instances of others, which nobody may touch.
    pub foreign_instances: Vec<ForeignInstances>,
    /// CloudWatch alarms, all in the state OK.
    pub alarms: Vec<String>,
    /// Alarms on the fleet's CPU.
    pub cpu_alarms: Vec<CpuAlarm>,
    /// The work that the members share, from each time on, in the order of time; before the first there is none.
    pub work: Vec<Work>,
    /// The Systems Manager document that installs a version.
    pub configure_document: String,
    /// What clients send, all of them together.
    pub requests_per_second: f64,
    /// The DynamoDB table, with the string keys `pk` and `sk`.
    pub table: String,
    /// How long things take.
    pub latencies: Latencies,
}

/// An alarm on the average CPU of the members in service.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuAlarm {
    /// Its name.
    pub name: String,
    /// Where it rings.
    pub threshold: AlarmThreshold,
    /// For so many minutes in a row.
    pub minutes: u32,
}

/// On which side of its threshold an alarm rings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlarmThreshold {
    /// Above so many percent.
    Above(f64),
    /// Below so many percent.
    Below(f64),
}

/// How much there is to do from a time on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Since the first instant.
    pub from: Duration,
    /// In percent of one member's CPU.
    pub percent: f64,
}

/// What the data lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An instance, with its volumes.
    Server {
        /// `i-…`
        id: String,
    },
    /// An RDS instance.
    Db {
        /// Its identifier.
        id: String,
    },
}

impl Data {
    pub(crate) fn id(&self) -> &str {
        match self {
            Data::Server { id } | Data::Db { id } => id,
        }
    }
}

/// A resource tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// A subnet and the availability zone it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-…`
    pub id: String,
    /// For example `eu-central-1a`.
    pub zone: String,
}

/// Instances of someone else in the same account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignInstances {
    /// How many there are.
    pub count: u32,
    /// What they are tagged with.
    pub tags: Vec<Tag>,
}

/// A range from which a latency is drawn, evenly, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The shortest.
    pub low: Duration,
    /// The longest.
    pub high: Duration,
}

impl Range {
    /// From `low` to `high` seconds.
    #[must_use]
    pub const fn seconds(low: u64, high: u64) -> Range {
        Range { low: Duration::from_secs(low), high: Duration::from_secs(high) }
    }

    /// From `low` to `high` milliseconds.
    #[must_use]
    pub const fn millis(low: u64, high: u64) -> Range {
        Range { low: Duration::from_millis(low), high: Duration::from_millis(high) }
    }
}

/// How long each thing takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// A launch, from pending to running.
    pub launch: Range,
    /// A fresh clone, from running to answering HTTP: its volume is read from the snapshot on first touch.
    /// <https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html>
    pub first_boot: Range,
    /// Any later boot, from running to answering HTTP.
    pub boot: Range,
    /// From running to an agent that is online.
    pub agent: Range,
    /// From running to passed status checks.
    pub status_checks: Range,
    /// From the call to stopped.
    pub stop: Range,
    /// From the call that reboots to a machine that is up again.
    pub reboot: Range,
    /// A start of a stopped instance, from pending to running.
    pub start: Range,
    /// From the call to terminated.
    pub terminate: Range,
    /// An image, from pending to available.
    pub image: Range,
    /// A backup of the data, from pending to complete: what changed since the last one.
    pub backup: Range,
    /// One configure command: pull, up and migrate of one hop.
    pub command: Range,
    /// How long a describe does not know what was just made.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    pub visibility: Range,
    /// An API call.
    pub call: Range,
    /// A DynamoDB call.
    pub table_call: Range,
    /// What one Lambda invocation adds.
    pub invocation: Range,
    /// How long a client's long request is under way: an upload, or a function that runs.
    pub long_request: Duration,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies {
            launch: Range::seconds(16, 18),
            first_boot: Range::seconds(35, 60),
            boot: Range::seconds(10, 20),
            agent: Range::seconds(30, 90),
            status_checks: Range::seconds(60, 150),
            stop: Range::seconds(20, 40),
            reboot: Range::seconds(20, 40),
            start: Range::seconds(20, 22),
            terminate: Range::seconds(20, 45),
            image: Range::seconds(150, 300),
            backup: Range::seconds(60, 180),
            command: Range::seconds(120, 300),
            visibility: Range::millis(200, 2_500),
            call: Range::millis(40, 250),
            table_call: Range::millis(4, 12),
            invocation: Range::millis(15, 60),
            long_request: Duration::from_secs(25),
        }
    }
}
