//! The command `fleetwright`: rehearses and operates the upgrade and scaling of a fleet of cloned servers.

pub mod cli;
mod definition;
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

pub use definition::Definition;
pub use exit::Exit;
pub use streams::Streams;

/// What the ledger's table is called.
const TABLE: &str = "fleetwright";
