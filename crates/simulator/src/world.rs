//! The description of what exists before a rehearsal begins. It is plain data.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The account, the fleet and its clients at the start.
#[derive(Clone, Debug)]
pub struct World {
    /// The seed of all draws.
    pub seed: u64,
    /// The virtual wall time at the start.
    pub start: SystemTime,
    /// The region of all resources.
    pub region: String,
    /// The account id, twelve digits.
    pub account: String,
    /// The fleet tag, which every resource of the fleet carries.
    pub fleet_tag: Tag,
    /// The load-balancer tag, which the instances that receive traffic carry.
    pub load_balancer_tag: Tag,
    /// The key of the tag with which a run marks what it makes.
    pub run_tag_key: String,
    /// The key of the tag that has the version of an image.
    pub version_tag_key: String,
    /// The id of the golden image, which every member is cloned from.
    pub golden_image: String,
    /// The version installed on the golden image.
    pub version: String,
    /// The name of the golden image.
    pub image_name: String,
    /// The number of members.
    pub members: u32,
    /// The members' instance type.
    pub member_type: String,
    /// The subnets of the members, which are spread over them evenly.
    pub subnets: Vec<Subnet>,
    /// The members' security groups.
    pub security_groups: Vec<String>,
    /// The name of the members' instance profile.
    pub instance_profile: Option<String>,
    /// The target group's ARN.
    pub target_group: String,
    /// The port that targets receive requests on.
    pub target_port: u16,
    /// How long a target drains.
    pub deregistration_delay: Duration,
    /// The time between two health checks of a target.
    pub health_check_interval: Duration,
    /// The number of passed checks in a row that make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// The number of failed checks in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The maximum number of targets in the group.
    pub target_quota: u32,
    /// The account's quota of vCPUs in running instances.
    pub vcpu_quota: u32,
    /// The data server or RDS instance, if the data can be backed up.
    pub data: Option<Data>,
    /// The tags of the data server or RDS instance.
    pub data_tags: BTreeMap<String, String>,
    /// Foreign instances, which no run may change.
    pub foreign_instances: Vec<ForeignInstances>,
    /// The names of CloudWatch alarms, all in the `OK` state.
    pub alarms: Vec<String>,
    /// Alarms on the fleet's CPU.
    pub cpu_alarms: Vec<CpuAlarm>,
    /// The work that the members share, from each time on, in the order of time. There is none before the first entry.
    pub work: Vec<Work>,
    /// The name of the Systems Manager document that installs a version.
    pub configure_document: String,
    /// How many requests all clients together send each second.
    pub requests_per_second: f64,
    /// The name of the DynamoDB table. Its string keys are `pk` and `sk`.
    pub table: String,
    /// How long things take.
    pub latencies: Latencies,
}

/// An alarm on the average CPU of the members in service.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuAlarm {
    /// The name of the alarm.
    pub name: String,
    /// The threshold that raises the alarm.
    pub threshold: AlarmThreshold,
    /// For how many minutes in a row the CPU must be beyond the threshold.
    pub minutes: u32,
}

/// The threshold of an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlarmThreshold {
    /// The alarm is raised above this many percent.
    Above(f64),
    /// The alarm is raised below this many percent.
    Below(f64),
}

/// The amount of work from a time on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// When this amount begins, since the start.
    pub from: Duration,
    /// The amount, in percent of one member's CPU.
    pub percent: f64,
}

/// The data server or RDS instance that holds the fleet's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A data server: an instance with its volumes.
    Server {
        /// `i-…`
        id: String,
    },
    /// An RDS instance.
    Db {
        /// The identifier of the RDS instance.
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
    /// The availability zone, for example `eu-central-1a`.
    pub zone: String,
}

/// Foreign instances in the same account. They belong to another fleet, or to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignInstances {
    /// How many instances there are.
    pub count: u32,
    /// The tags of each instance.
    pub tags: Vec<Tag>,
}

/// A range from which a latency is drawn, evenly, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The shortest latency.
    pub low: Duration,
    /// The longest latency.
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

/// How long each thing takes. Each range is drawn from anew for each event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// From `pending` to `running`, for a launched instance.
    pub launch: Range,
    /// From `running` to answering HTTP, for a new clone. Its volume is read from the snapshot on first touch.
    /// <https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html>
    pub first_boot: Range,
    /// From `running` to answering HTTP, for any later boot.
    pub boot: Range,
    /// From `running` to an agent that is online.
    pub agent: Range,
    /// From `running` to passed status checks.
    pub status_checks: Range,
    /// From the call to `stopped`.
    pub stop: Range,
    /// From the call that reboots to a machine that is up again.
    pub reboot: Range,
    /// From `pending` to `running`, for a started instance.
    pub start: Range,
    /// From the call to `terminated`.
    pub terminate: Range,
    /// From `pending` to `available`, for an image.
    pub image: Range,
    /// From `pending` to `completed`, for a backup: it copies what changed since the last one.
    pub backup: Range,
    /// One configure command: it pulls, starts and migrates one hop.
    pub command: Range,
    /// How long Describe calls do not show a change.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    pub visibility: Range,
    /// An API call to any service except DynamoDB.
    pub call: Range,
    /// A call to DynamoDB.
    pub table_call: Range,
    /// What one Lambda invocation adds.
    pub invocation: Range,
    /// How long a client's long request is in flight, such as an upload or a function that runs.
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
