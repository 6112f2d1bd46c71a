//! Why a command stops before it is done.

use crate::Exit;
use fleet::{Refusal, RunRef};
use functions::{CallError, StepError};

/// The error that a command prints to standard error, and its exit status.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(super) exit: Exit,
    /// Whether repeating the call may succeed: AWS had an error, throttled the call, or could not be reached.
    pub(super) transient: bool,
    text: String,
}

impl Stop {
    fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, transient: false, text: text.into() }
    }

    /// The command failed.
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::new(Exit::Error, text)
    }

    /// The operator's input is wrong; nothing was changed.
    pub(super) fn bad_input(text: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, text)
    }

    /// The command must not do this now; nothing was changed.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::new(Exit::Refused, text)
    }

    /// The run's execution has ended, but the run has not; a person must act.
    pub(super) fn dead(run: &RunRef, phase: &str) -> Self {
        let fleet = &run.fleet;
        let text = format!(
            "the execution of {run} died while the run was {phase}: the fleet stays as it is, and locked, until 'fleetwright repair --fleet {fleet}'; see docs/runbook/stopped.md"
        );
        Self::new(Exit::Frozen, text)
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.exit == Exit::Refused { "refused" } else { "error" };
        write!(f, "{word}: {}", self.text)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal.to_string())
    }
}

impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Refused(text) => Self::refused(text),
            StepError::Failed(text) | StepError::Aborted(text) => Self::error(text),
            StepError::NotYet(text) | StepError::Throttled(text) | StepError::Interrupted(text) => {
                Self { transient: true, ..Self::error(text) }
            }
        }
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        StepError::from(error).into()
    }
}
