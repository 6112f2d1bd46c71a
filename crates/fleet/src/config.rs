//! The configuration of a fleet: the schema of `samplconfig.toml`, and what the ledger stores of it.

mod check;
mod scaling;

pub use scaling::Scaling;

use crate::{
    DataSource, FleetName, ImageId, InstanceType, LocalZone, SecurityGroupId, Span, SubnetId, TargetGroupArn, Version,
    Windows, Zone, hops::APPWRITE_HOPS,
};
use serde::{Deserialize, Serialize};

/// Everything a fleet's operator decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the fleet is made of.
    pub fleet: FleetConfig,
    /// The strong clone on which a version is installed.
    pub builder: Builder,
    /// Where the members take traffic from.
    pub load_balancer: LoadBalancer,
    /// What the data server can take.
    pub database: Database,
    /// What is backed up before the first migration; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<DataSource>,
    /// How an upgrade proceeds.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// How the fleet follows its load; without it only a person changes its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// How long each wait may take.
    #[serde(default)]
    pub limits: Limits,
    /// What machines cost, for estimates.
    #[serde(default)]
    pub prices: Prices,
    /// The simulated world of a rehearsal. Nothing of it is used on AWS, nor stored in the ledger.
    #[serde(default, skip_serializing)]
    pub rehearsal: Rehearsal,
}

/// What the fleet is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetConfig {
    /// The fleet's name, in tags and in the ledger.
    pub name: FleetName,
    /// The version that the members run.
    pub version: Version,
    /// The image that every member is a clone of; none as long as none was taken of a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden_image: Option<ImageId>,
    /// How many members there are.
    pub size: u32,
    /// What a member runs on.
    pub instance_type: InstanceType,
    /// Whose clocks the fleet's users live by: quiet hours are told in them.
    #[serde(default)]
    pub time_zone: LocalZone,
    /// The tag that says who takes traffic.
    pub load_balancer_tag: AnyTag,
    /// Where members are launched, one subnet a zone.
    pub subnets: Vec<Subnet>,
    /// The security groups of members and builder.
    pub security_groups: Vec<SecurityGroupId>,
    /// The name of the instance profile of members and builder; it lets the SSM agent in.
    pub instance_profile: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnyTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Display for AnyTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// A subnet and the zone it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The subnet.
    pub id: SubnetId,
    /// Its zone.
    pub zone: Zone,
}

/// The strong clone on which a version is installed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// What it runs on: `migrate` uses several cores.
    pub instance_type: InstanceType,
}

/// Where the members take traffic from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// The target group that the members are registered with.
    pub target_group: TargetGroupArn,
    /// The account's quota of targets in a target group; AWS's default is 1,000.
    #[serde(default = "default_target_quota")]
    pub target_quota: u32,
}

fn default_target_quota() -> u32 {
    1000
}

/// What the data server can take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `max_connections` in the data server's my.cnf; MariaDB's default is 151.
    pub max_connections: u32,
    /// How many connections one member, or the builder, may open.
    pub connections_per_member: u32,
}

/// How an upgrade proceeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upgrade {
    /// How many new members take traffic before the rest do.
    pub canary: u32,
    /// How long the canary must stay healthy before the rest come in.
    pub canary_bake: Span,
    /// How long all new members must stay healthy before the old ones are deleted.
    pub bake: Span,
    /// Whether a person approves before the old members are deleted.
    pub approval: bool,
    /// CloudWatch alarms that must not be in ALARM while the new members bake.
    pub alarms: Vec<String>,
    /// The SSM document that installs and migrates one hop.
    pub configure_document: String,
    /// The last patch of each minor version, in order.
    pub hops: Vec<Version>,
    /// What a run does that failed before its old members are deleted.
    pub on_failure: OnFailure,
    /// When an upgrade may change members: it must end inside one of these. At any time if there are none.
    #[serde(skip_serializing_if = "Windows::is_empty")]
    pub windows: Windows,
    /// The version that is picked up as soon as a window permits; nothing if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Version>,
    /// How many images are kept beside the golden one to go back to, those in quarantine among them.
    pub keep_images: u32,
}

/// What a run does that failed before its old members are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It restores what was before.
    Rollback,
    /// It stays as it is, for a person to look at; `repair` then restores what was before.
    Freeze,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            canary: 1,
            canary_bake: Span::minutes(1),
            bake: Span::minutes(5),
            approval: false,
            alarms: Vec::new(),
            configure_document: "fleetwright-configure".to_owned(),
            hops: APPWRITE_HOPS.to_vec(),
            on_failure: OnFailure::Rollback,
            windows: Windows::default(),
            wanted: None,
            keep_images: 3,
        }
    }
}

/// How long each wait may take before the run gives up on it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From the launch to `running`; measured on EC2: 16 to 18 s.
    pub launch: Span,
    /// From `running` to an SSM agent that answers; seen on EC2: 30 s to over 6 min.
    pub agent: Span,
    /// From the request to a finished backup of the data. The first snapshot of a large volume takes hours.
    pub backup: Span,
    /// One hop, the agent's wait included: pull, start, migrate. `migrate` can hang for ever; the script on the builder
    /// gives it up after 2 h 41 min at most, so that this one is never the first to do so.
    pub configure: Span,
    /// From the stop to `stopped`.
    pub stop: Span,
    /// From the request to an available image: minutes as a rule, 24 h at worst.
    pub image: Span,
    /// From the registration to a healthy target.
    pub healthy: Span,
    /// From the termination to `terminated`.
    pub delete: Span,
    /// How long a person has to approve.
    pub approval: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            launch: Span::minutes(10),
            agent: Span::minutes(15),
            backup: Span::minutes(6 * 60),
            configure: Span::minutes(180),
            stop: Span::minutes(15),
            image: Span::minutes(24 * 60),
            healthy: Span::minutes(15),
            delete: Span::minutes(15),
            approval: Span::minutes(24 * 60),
        }
    }
}

/// What machines cost, for estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// US dollars an hour for one member.
    pub member_hour: f64,
    /// US dollars an hour for the builder.
    pub builder_hour: f64,
}

impl Default for Prices {
    /// On-demand Linux in eu-central-1: c6i.large and c6i.2xlarge.
    fn default() -> Self {
        Self { member_hour: 0.097, builder_hour: 0.388 }
    }
}

/// The simulated world of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rehearsal {
    /// What all latencies and faults are drawn from.
    pub seed: u64,
    /// What the simulated clients send, all members together.
    pub requests_per_second: f64,
    /// The target group's deregistration delay; AWS's default is 300 s.
    pub deregistration_delay: Span,
    /// The target group's health check interval; AWS's default is 30 s.
    pub health_check_interval: Span,
    /// The account's quota of on-demand vCPUs.
    pub vcpu_quota: u32,
    /// Instances of others in the same account, with the tag they carry.
    pub others: Vec<AnyTag>,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self {
            seed: 1,
            requests_per_second: 50.0,
            deregistration_delay: Span::seconds(300),
            health_check_interval: Span::seconds(30),
            vcpu_quota: 100_000,
            others: Vec::new(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of the wrong type or shape; says line and column.
    #[error("{0}")]
    Malformed(String),
    /// A value that cannot be meant.
    #[error("{field}: {problem}")]
    Invalid {
        /// The key, as a path.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}

impl Config {
    /// Reads and checks a configuration in TOML.
    ///
    /// # Errors
    /// Says the line or the field, and what would be right.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Malformed(error.to_string().trim_end().to_owned()))?;
        config.check()?;
        Ok(config)
    }
}
