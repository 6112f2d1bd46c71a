//! A fleet as it was found on AWS: what an operator is shown, and what is decided on.

use crate::{FleetName, ImageId, InstanceId, Inventory, RunId, Span, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A fleet as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Every living instance that carries the load-balancer tag, in order of id.
    pub tagged: Vec<Tagged>,
    /// What is registered with the target group without the tag, in order of id.
    #[serde(alias = "strangers")]
    pub untagged_targets: Vec<InstanceId>,
    /// The first alarm that is not quiet, of those that the configuration names.
    pub alarm: Option<RaisedAlarm>,
    /// Why the stack must not touch the fleet, if it must not.
    #[serde(default, alias = "out_of_reach")]
    pub out_of_scope: Option<String>,
    /// What is wrong with the image that a run would start from, the golden one as a rule, if anything.
    pub image_problem: Option<String>,
    /// How long a target that is taken out goes on draining.
    pub drain: Span,
    /// Everything that carries the fleet's tag; only an operator's look goes that far.
    #[serde(default, alias = "census")]
    pub inventory: Option<Inventory>,
}

/// An instance that carries the load-balancer tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// The instance.
    pub id: InstanceId,
    /// The image it is a clone of.
    pub image: ImageId,
    /// Where it stands.
    pub zone: Zone,
    /// Whether it runs.
    pub running: bool,
    /// The fleet that its tag names.
    pub fleet: Option<String>,
    /// How its target is.
    pub health: Health,
    /// When it was launched, if that is known.
    #[serde(default)]
    pub launched: Option<Timestamp>,
    /// The run that launched it, if one did.
    #[serde(default)]
    pub run: Option<RunId>,
}

/// An alarm that is not quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAlarm {
    /// Its name.
    pub name: String,
    /// What is wrong, for people.
    pub problem: String,
}

/// How a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Registered, its first checks not through.
    Initial,
    /// Takes traffic.
    Healthy,
    /// Its checks fail; in the load balancer's words.
    Unhealthy(String),
    /// Taken out, finishing its requests.
    Draining,
    /// Not registered, or in a zone that the load balancer does not serve.
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
    /// How many members are in service.
    pub fn in_service(&self) -> usize {
        self.tagged.iter().filter(|member| member.health == Health::Healthy).count()
    }

    /// How many carry the load-balancer tag and are the fleet's.
    pub fn members(&self, fleet: &FleetName) -> usize {
        self.tagged.iter().filter(|member| member.fleet.as_deref() == Some(fleet.as_str())).count()
    }

    /// Every instance that carries the tag but is not the fleet's.
    pub(crate) fn foreign<'a>(&'a self, fleet: &'a str) -> impl Iterator<Item = &'a Tagged> {
        self.tagged.iter().filter(move |member| member.fleet.as_deref() != Some(fleet))
    }
}
