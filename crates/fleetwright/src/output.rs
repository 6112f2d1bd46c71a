//! What a command gives back: its result in one of two forms, and its exit status.

use clap::ValueEnum;
use std::process::ExitCode;

/// How a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people; its form may change.
    Text,
    /// One JSON object, whose `schema_version` says its form.
    Json,
}

/// The command's exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// The command failed.
    Error = 1,
    /// Wrong usage or input; nothing was changed.
    BadInput = 2,
    /// The run failed and rolled back: the fleet is as it was before the run.
    RolledBack = 3,
    /// The run is frozen, or its execution died. A person must act.
    Frozen = 4,
    /// The time to watch is over; the run continues.
    StillRunning = 5,
    /// Refused, for example a downgrade, a quota that is too small or a fleet that is locked; nothing was changed.
    Refused = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
