//! A fleet as it was observed on AWS. Operators see it, and decisions are made from it.

use crate::{FleetName, ImageId, InstanceId, Inventory, RunId, Span, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A fleet as it was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The instances that carry the load-balancer tag and are not terminated, in order of id.
    pub tagged: Vec<Tagged>,
    /// The targets that lack the load-balancer tag, in order of id.
    #[serde(alias = "strangers")]
    pub untagged_targets: Vec<InstanceId>,
    /// The first of `upgrade.alarms` that is raised or does not exist.
    pub alarm: Option<RaisedAlarm>,
    /// Why the fleet is outside the stack's scope, if it is.
    #[serde(default, alias = "out_of_reach")]
    pub out_of_scope: Option<String>,
    /// What is wrong with the image that a run would clone, which is usually the golden image. `None` if it is available.
    pub image_problem: Option<String>,
    /// How long a deregistered target drains.
    pub drain: Span,
    /// The inventory. Filled only when an operator observes the fleet, or a restore begins.
    #[serde(default, alias = "census")]
    pub inventory: Option<Inventory>,
}

/// An instance that carries the load-balancer tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// The instance.
    pub id: InstanceId,
    /// The image that it is a clone of.
    pub image: ImageId,
    /// Its availability zone.
    pub zone: Zone,
    /// Whether its state is `running`.
    pub running: bool,
    /// The fleet that its fleet tag names.
    pub fleet: Option<String>,
    /// The health of its target.
    pub health: Health,
    /// When it was launched, if known.
    #[serde(default)]
    pub launched: Option<Timestamp>,
    /// The run that launched it, if one did.
    #[serde(default)]
    pub run: Option<RunId>,
}

/// An alarm that is raised, or that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAlarm {
    /// The alarm's name.
    pub name: String,
    /// What is wrong, in words that follow the name.
    pub problem: String,
}

/// The health of an instance's target, as the load balancer reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Registered, but the first health checks are not complete.
    Initial,
    /// Receives traffic.
    Healthy,
    /// The health checks fail, for the reason that the load balancer gives.
    Unhealthy(String),
    /// Deregistered, and finishing the requests that it has.
    Draining,
    /// Not registered, or in a zone that is not enabled for the load balancer.
    Out,
}

impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Initial => f.write_str("initial"),
            Self::Healthy => f.write_str("healthy"),
            Self::Unhealthy(reason) => write!(f, "unhealthy ({reason})"),
            Self::Draining => f.write_str("draining"),
            Self::Out => f.write_str("not registered"),
        }
    }
}

impl Observed {
    /// The number of members in service.
    pub fn in_service(&self) -> usize {
        self.tagged.iter().filter(|member| member.health == Health::Healthy).count()
    }

    /// The number of instances that carry both the load-balancer tag and the fleet tag.
    pub fn members(&self, fleet: &FleetName) -> usize {
        self.tagged.iter().filter(|member| member.fleet.as_deref() == Some(fleet.as_str())).count()
    }

    /// The foreign instances: they carry the load-balancer tag but not the fleet tag.
    pub(crate) fn foreign<'a>(&'a self, fleet: &'a str) -> impl Iterator<Item = &'a Tagged> {
        self.tagged.iter().filter(move |member| member.fleet.as_deref() != Some(fleet))
    }
}
