//! The sections that describe the fleet and what it depends on: `fleet`, `builder`, `load_balancer` and `database`.

use crate::{FleetName, ImageId, InstanceType, LocalZone, SecurityGroupId, SubnetId, TargetGroupArn, Version, Zone};
use serde::{Deserialize, Serialize};

/// The fleet and its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FleetConfig {
    /// The fleet's name. Tags, image names and the ledger's keys contain it.
    pub name: FleetName,
    /// The version that the members run. After an upgrade, the version of the golden image takes precedence.
    pub version: Version,
    /// The image that the members are cloned from. Leave it out if the fleet has no golden image yet:
    /// `fleetwright golden-image` takes one of a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "ImageId"))]
    pub golden_image: Option<ImageId>,
    /// The number of members in a rehearsal. On AWS, a run counts the members that exist. At most 1000 for each subnet.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = super::check::LARGEST)))]
    pub size: u32,
    /// The EC2 instance type of a member.
    pub instance_type: InstanceType,
    /// The time zone of the fleet's users. Quiet windows are computed and printed in it.
    #[serde(default)]
    pub time_zone: LocalZone,
    /// The load-balancer tag: only instances that carry it receive traffic. Each fleet needs a tag of its own.
    pub load_balancer_tag: AnyTag,
    /// The subnets in which members are launched. Name one subnet for each zone, all in one region. Members are spread
    /// evenly over them.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subnets: Vec<Subnet>,
    /// The security groups of members and builder.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub security_groups: Vec<SecurityGroupId>,
    /// The name of the instance profile of members and builder. Its role must allow the SSM agent to register
    /// (`AmazonSSMManagedInstanceCore`).
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub instance_profile: String,
}

/// A tag on an AWS resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Tag"))]
#[serde(deny_unknown_fields)]
pub struct AnyTag {
    /// The tag's key. The key of a load-balancer tag must start neither with `fleetwright:` nor with `aws:`.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

impl std::fmt::Display for AnyTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// A subnet and its availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The subnet's id.
    pub id: SubnetId,
    /// The availability zone of the subnet.
    pub zone: Zone,
}

/// The builder, on which an upgrade installs and migrates each hop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// The EC2 instance type of the builder. Choose a strong one: `migrate` uses several cores.
    pub instance_type: InstanceType,
}

/// The load balancer that sends requests to the members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// The target group that the members are registered with.
    pub target_group: TargetGroupArn,
    /// The account's quota "Targets per Target Group". AWS's default is 1000. An upgrade needs 2 x the number of members.
    #[serde(default = "default_target_quota")]
    pub target_quota: u32,
}

fn default_target_quota() -> u32 {
    1000
}

/// The connections of the fleet's database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `max_connections` in the my.cnf of the data server. MariaDB's default is 151. An upgrade needs (2 x members + 1) x
    /// `connections_per_member`.
    pub max_connections: u32,
    /// The number of connections that one member, or the builder, may open.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub connections_per_member: u32,
}
