//! The configuration of a fleet: the schema of `samplconfig.toml`, and what the ledger stores of it.
//!
//! The doc comments of the fields are the text of docs/reference/configuration.md and of the JSON Schema beside it.

mod check;
mod limits;
#[cfg(feature = "schema")]
mod reference;
mod rehearsal;
mod scaling;
mod sections;
mod upgrade;

pub use limits::Limits;
#[cfg(feature = "schema")]
pub use reference::{configuration_reference, configuration_schema};
pub use rehearsal::{Prices, Rehearsal};
pub use scaling::Scaling;
pub use sections::{AnyTag, Builder, Database, FleetConfig, LoadBalancer, Subnet};
pub use upgrade::{OnFailure, Upgrade};

use crate::DataSource;
use serde::{Deserialize, Serialize};

/// The configuration of one fleet, in TOML. `fleetwright apply` records it in the ledger. A run keeps the configuration
/// that it started with, even if another one is applied meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(title = "Fleetwright configuration"))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The fleet and its members.
    pub fleet: FleetConfig,
    /// The builder, on which an upgrade installs and migrates each hop.
    pub builder: Builder,
    /// The load balancer that sends requests to the members.
    pub load_balancer: LoadBalancer,
    /// The connections of the fleet's database.
    pub database: Database,
    /// The data server, which an upgrade backs up before the first migration. Only a backup can undo a migration. Name exactly
    /// one of the two keys. Tag the data server with `fleetwright:data-of` = the fleet's name, so that the stack may take its
    /// snapshots. Without this section, Fleetwright backs up nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "DataSource"))]
    pub backup: Option<DataSource>,
    /// How an upgrade proceeds.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// How the fleet's size follows its CPU. Without this section, only an operator changes the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Scaling"))]
    pub scaling: Option<Scaling>,
    /// How long each wait of a run may take. When a limit expires, the run fails and rolls back. Each limit is 1m to 48h.
    #[serde(default)]
    pub limits: Limits,
    /// Prices of instances, for cost estimates. The defaults are on-demand Linux prices in eu-central-1 for `c6i.large` and
    /// `c6i.2xlarge`.
    #[serde(default)]
    pub prices: Prices,
    /// The simulated AWS of a rehearsal. These settings have no effect on AWS, and the ledger does not store them.
    #[serde(default, skip_serializing)]
    pub rehearsal: Rehearsal,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not TOML, has an unknown key, or has a value of the wrong type or shape. The text names line and column.
    #[error("{0}")]
    Malformed(String),
    /// A value has the right type, but cannot be used.
    #[error("{field}: {problem}")]
    Invalid {
        /// The key, with its section: `fleet.size`.
        field: &'static str,
        /// What is wrong with the value, and what would be right.
        problem: String,
    },
}

impl Config {
    /// Reads and checks a configuration in TOML.
    ///
    /// # Errors
    /// Names the line or the field, and what would be right.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Malformed(error.to_string().trim_end().to_owned()))?;
        config.check()?;
        Ok(config)
    }
}
