//! Why a command ends before it is done.

use crate::Exit;
use fleet::Refusal;
use functions::{CallError, StepError};

/// What is said on standard error, and the exit status.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) exit: Exit,
    text: String,
}

impl Stop {
    /// It did not work.
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self { exit: Exit::Error, text: text.into() }
    }

    /// What was given is wrong; nothing was changed.
    pub(super) fn bad_input(text: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, text: text.into() }
    }

    /// A person is needed.
    pub(super) fn frozen(text: impl Into<String>) -> Self {
        Self { exit: Exit::Frozen, text: text.into() }
    }

    /// It must not be done now; nothing was changed.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, text: text.into() }
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
            other => Self::error(other.to_string()),
        }
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::error(error.to_string())
    }
}
