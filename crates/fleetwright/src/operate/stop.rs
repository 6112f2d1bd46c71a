//! Why a command ends before it is done.

use crate::Exit;
use fleet::{Refusal, RunRef};
use functions::{CallError, StepError};

/// What is said on standard error, and the exit status.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) exit: Exit,
    /// Whether it may pass by itself: AWS stumbled, asked to slow down, or could not be reached.
    pub(super) passing: bool,
    text: String,
}

impl Stop {
    fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, passing: false, text: text.into() }
    }

    /// It did not work.
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::new(Exit::Error, text)
    }

    /// What was given is wrong; nothing was changed.
    pub(super) fn bad_input(text: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, text)
    }

    /// It must not be done now; nothing was changed.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::new(Exit::Refused, text)
    }

    /// The run's execution has ended and the run has not; a person is needed.
    pub(super) fn dead(run: &RunRef, doing: &str) -> Self {
        let fleet = &run.fleet;
        let text = format!(
            "the execution of {run} ended while it was {doing}: the fleet stays as it is, and locked, until 'fleetwright repair --fleet {fleet}'; see infra/runbook/stopped.md"
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
                Self { passing: true, ..Self::error(text) }
            }
        }
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        StepError::from(error).into()
    }
}
