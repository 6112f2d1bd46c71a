//! The command `fleetwright`: rehearses and operates the upgrade and scaling of a fleet of cloned servers.

pub mod cli;
mod definition;
mod display;
pub mod lambda;
mod length;
mod operate;
mod output;
pub mod permissions;
mod quiet_hours;
pub mod rehearse;
mod run_workflow;
mod streams;

pub use cli::command_reference;
pub use definition::Definition;
pub use output::Exit;
pub use streams::Streams;

/// The name of the ledger's DynamoDB table, as in infra/template.yaml.
const TABLE: &str = "fleetwright";
