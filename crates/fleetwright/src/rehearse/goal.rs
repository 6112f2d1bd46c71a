//! What a rehearsed run is for, and what follows from that.

use super::outcome::Ending;
use crate::Definition;
use fleet::{Config, Version};
use serde_json::{Value, json};

/// What a rehearsed run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// An upgrade to another version.
    Upgrade {
        /// The version to upgrade to.
        to: Version,
    },
    /// A scale-out or a scale-in, as an operator orders it.
    Scale {
        /// The number of members to scale to.
        to: u32,
    },
    /// A golden image of a member.
    GoldenImage,
}

impl Goal {
    /// The state machine that is executed.
    pub(super) fn definition(self, config: &Config) -> Definition {
        match self {
            Self::Upgrade { .. } => Definition::UPGRADE,
            Self::Scale { to } if to < config.fleet.size => Definition::SCALE_IN,
            Self::Scale { .. } => Definition::SCALE_OUT,
            Self::GoldenImage => Definition::GOLDEN_IMAGE,
        }
    }

    /// The execution's input.
    pub(super) fn input(self, config: &Config) -> Value {
        let fleet = &config.fleet.name;
        match self {
            Self::Upgrade { to } => json!({"fleet": fleet, "to": to}),
            Self::Scale { to } => json!({"fleet": fleet, "to": to}),
            Self::GoldenImage => json!({"fleet": fleet}),
        }
    }

    /// The version that the members run after a successful run.
    pub(super) fn version(self, config: &Config) -> Version {
        match self {
            Self::Upgrade { to } => to,
            Self::Scale { .. } | Self::GoldenImage => config.fleet.version,
        }
    }

    /// How many members must be in service throughout the run.
    pub(super) fn least_in_service(self, config: &Config) -> u32 {
        let size = config.fleet.size;
        match self {
            Self::Upgrade { .. } => size,
            Self::Scale { to } => size.min(to),
            Self::GoldenImage => size.saturating_sub(1),
        }
    }

    /// How a successful run ends.
    pub(super) fn success(self) -> Ending {
        match self {
            Self::Upgrade { .. } => Ending::Upgraded,
            Self::Scale { .. } => Ending::Scaled,
            Self::GoldenImage => Ending::ImageTaken,
        }
    }

    /// The command that rehearses it.
    pub(super) fn command(self) -> String {
        match self {
            Self::Upgrade { to } => format!("fleetwright rehearse upgrade --to {to}"),
            Self::Scale { to } => format!("fleetwright rehearse scale --to {to}"),
            Self::GoldenImage => "fleetwright rehearse golden-image".to_owned(),
        }
    }
}
