//! The workflows, the state machines that execute them, and the orders that runs begin with.

use crate::{Golden, InstanceId, Outcome, Version};
use serde::{Deserialize, Serialize};

/// The kind of change that a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workflow {
    /// Replaces all members with members of a newer version: the thirteen steps of an upgrade by hand.
    Upgrade,
    /// Replaces all members with members cloned from a kept image. Earlier releases wrote `rollback`.
    #[serde(alias = "rollback")]
    Revert,
    /// Returns a fleet that was changed by hand to its declared state. Earlier releases wrote `repair`.
    #[serde(alias = "repair")]
    Restore,
    /// Adds members that are cloned from the golden image.
    ScaleOut,
    /// Removes members.
    ScaleIn,
    /// Takes a golden image of the source member.
    GoldenImage,
}

impl Workflow {
    /// The outcome of a run that succeeds.
    pub fn done(self) -> Outcome {
        match self {
            Self::Upgrade => Outcome::Upgraded,
            Self::Revert => Outcome::Reverted,
            Self::Restore => Outcome::Restored,
            Self::ScaleOut | Self::ScaleIn => Outcome::Scaled,
            Self::GoldenImage => Outcome::ImageTaken,
        }
    }

    /// The state machine that executes the workflow.
    pub fn machine(self) -> Machine {
        match self {
            Self::Upgrade | Self::Revert | Self::Restore => Machine::Upgrade,
            Self::ScaleOut => Machine::ScaleOut,
            Self::ScaleIn => Machine::ScaleIn,
            Self::GoldenImage => Machine::GoldenImage,
        }
    }

    /// Whether it changes the number of members, and not what they run.
    pub fn scales(self) -> bool {
        matches!(self, Self::ScaleOut | Self::ScaleIn)
    }

    /// Whether a failure of its staying members means that their image is bad.
    pub fn validates_image(self) -> bool {
        matches!(self, Self::Upgrade | Self::Revert)
    }

    /// The outcome of a run that rolls back. For a restore, that is its success.
    pub fn rolled_back(self) -> Outcome {
        match self {
            Self::Upgrade | Self::Revert | Self::ScaleOut | Self::ScaleIn | Self::GoldenImage => Outcome::RolledBack,
            Self::Restore => Outcome::Restored,
        }
    }
}

/// A state machine, by the name that its definition passes to the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Machine {
    /// Executes upgrades, reverts and restores. Definitions of earlier releases pass no name.
    #[default]
    #[serde(rename = "fleetwright-upgrade")]
    Upgrade,
    /// Executes scale-outs.
    #[serde(rename = "fleetwright-scale-out")]
    ScaleOut,
    /// Executes scale-ins.
    #[serde(rename = "fleetwright-scale-in")]
    ScaleIn,
    /// Executes golden-image runs.
    #[serde(rename = "fleetwright-golden-image")]
    GoldenImage,
}

impl Machine {
    /// The name of the state machine on AWS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "fleetwright-upgrade",
            Self::ScaleOut => "fleetwright-scale-out",
            Self::ScaleIn => "fleetwright-scale-in",
            Self::GoldenImage => "fleetwright-golden-image",
        }
    }
}

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Install these versions in turn.
    Upgrade(Vec<Version>),
    /// Replace all members with clones of this kept image.
    Revert(Golden),
    /// Return the fleet to its declared state.
    Restore,
    /// Add this number of members.
    ScaleOut(u32),
    /// Remove these members.
    ScaleIn(Vec<InstanceId>),
    /// Take a golden image of a member.
    GoldenImage {
        /// The source member. Without it, the run chooses the first member in service.
        of: Option<InstanceId>,
        /// Whether the source member may be the only member in service, so that the fleet is out of service meanwhile.
        downtime: bool,
    },
}
