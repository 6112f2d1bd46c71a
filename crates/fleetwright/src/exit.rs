//! What the command's exit status says.

use std::process::ExitCode;

/// The command's exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// It did not work.
    Error = 1,
    /// Bad usage or input; nothing was changed.
    BadInput = 2,
    /// The run failed, and the fleet is as it was before.
    RolledBack = 3,
    /// The run stopped where it stood, and a person is needed.
    Frozen = 4,
    /// The time to watch is over; the run goes on.
    StillGoing = 5,
    /// Refused: a downgrade, a budget, a lock, …; nothing was changed.
    Refused = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
