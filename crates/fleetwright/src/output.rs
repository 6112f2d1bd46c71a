//! The two forms in which a command prints its result.

use clap::ValueEnum;

/// How a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people; its form may change.
    Text,
    /// One JSON object, whose `schema_version` says its form.
    Json,
}
