//! The command `fleetwright`: rehearses and operates the upgrade and scaling of a fleet of cloned servers.

pub mod cli;
mod exit;
pub mod lambda;
mod length;
mod operate;
pub mod permissions;
mod progress;
mod quiet_hours;
pub mod rehearse;
mod run_workflow;
mod streams;

pub use exit::Exit;
pub use streams::Streams;

/// The upgrade's definition, exactly as it is deployed.
pub const UPGRADE: &str = include_str!("../../../workflow/upgrade.asl.json");

/// What the ledger's table is called.
const TABLE: &str = "fleetwright";
/// What the upgrade's state machine is called.
const STATE_MACHINE: &str = "fleetwright-upgrade";
