//! What a run is for, and how it is to end.

use crate::{Golden, InstanceId, Outcome, Version};
use serde::{Deserialize, Serialize};

/// Which workflow a run executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workflow {
    /// The thirteen steps of an upgrade by hand.
    Upgrade,
    /// Replaces all members with members cloned from a kept image. Earlier releases wrote `rollback`.
    #[serde(alias = "rollback")]
    Revert,
    /// Returns a fleet that was changed by hand to its declared state. Earlier releases wrote `repair`.
    #[serde(alias = "repair")]
    Restore,
    /// More members, from the golden image.
    ScaleOut,
    /// Fewer members.
    ScaleIn,
    /// A golden image of a member that stands.
    GoldenImage,
}

impl Workflow {
    /// How a run ends that reached what it was begun for.
    pub fn done(self) -> Outcome {
        match self {
            Self::Upgrade => Outcome::Upgraded,
            Self::Revert => Outcome::Reverted,
            Self::Restore => Outcome::Restored,
            Self::ScaleOut | Self::ScaleIn => Outcome::Scaled,
            Self::GoldenImage => Outcome::ImageTaken,
        }
    }

    /// The state machine that performs it.
    pub fn machine(self) -> Machine {
        match self {
            Self::Upgrade | Self::Revert | Self::Restore => Machine::Upgrade,
            Self::ScaleOut => Machine::ScaleOut,
            Self::ScaleIn => Machine::ScaleIn,
            Self::GoldenImage => Machine::GoldenImage,
        }
    }

    /// Whether it changes how many members there are, and not what they run.
    pub fn scales(self) -> bool {
        matches!(self, Self::ScaleOut | Self::ScaleIn)
    }

    /// Whether what its new members come to tells whether their image is good.
    pub fn validates_image(self) -> bool {
        matches!(self, Self::Upgrade | Self::Revert)
    }

    /// How a run ends that restored what was before: for a repair that is what it was begun for.
    pub fn rolled_back(self) -> Outcome {
        match self {
            Self::Upgrade | Self::Revert | Self::ScaleOut | Self::ScaleIn | Self::GoldenImage => Outcome::RolledBack,
            Self::Restore => Outcome::Restored,
        }
    }
}

/// A state machine, as its definition names itself to the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Machine {
    /// Upgrades, rollbacks and repairs; definitions of earlier releases name none.
    #[default]
    #[serde(rename = "fleetwright-upgrade")]
    Upgrade,
    /// More members.
    #[serde(rename = "fleetwright-scale-out")]
    ScaleOut,
    /// Fewer members.
    #[serde(rename = "fleetwright-scale-in")]
    ScaleIn,
    /// A golden image of a member.
    #[serde(rename = "fleetwright-golden-image")]
    GoldenImage,
}

impl Machine {
    /// Its name on AWS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "fleetwright-upgrade",
            Self::ScaleOut => "fleetwright-scale-out",
            Self::ScaleIn => "fleetwright-scale-in",
            Self::GoldenImage => "fleetwright-golden-image",
        }
    }
}

/// What a run is begun for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// To install these versions in turn.
    Upgrade(Vec<Version>),
    /// Replace all members with clones of this kept image.
    Revert(Golden),
    /// Restore the members that were found.
    Restore,
    /// To add so many members.
    ScaleOut(u32),
    /// To take these members out.
    ScaleIn(Vec<InstanceId>),
    /// To take a golden image of a member, the first that takes traffic unless one is named.
    GoldenImage {
        /// The member.
        of: Option<InstanceId>,
        /// Whether it may be the only one in service, so that nobody serves meanwhile.
        downtime: bool,
    },
}
