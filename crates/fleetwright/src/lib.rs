//! The command `fleetwright`: rehearses and operates the upgrade and scaling of a fleet of cloned servers.

pub mod cli;
mod definition;
mod display;
mod exit;
pub mod lambda;
mod length;
mod operate;
pub mod permissions;
mod quiet_hours;
pub mod rehearse;
mod run_workflow;
mod streams;

pub use definition::Definition;
pub use exit::Exit;
pub use streams::Streams;

/// The name of the ledger's table.
const TABLE: &str = "fleetwright";
