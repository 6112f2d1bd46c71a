//! The errors of a step. The state machines' `Retry` and `Catch` use the names of the variants. A step returns no other error.

use fleet::{IllegalMove, Refusal};

/// A step's named error, with a text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The wanted condition is not met yet: poll again. The text says what the step waits for, on which id, and until when.
    #[error("{0}")]
    NotYet(String),
    /// AWS throttled a call. Retry.
    #[error("{0}")]
    Throttled(String),
    /// An answer was lost or AWS failed. The call may have taken effect; a retry finds out.
    #[error("{0}")]
    Interrupted(String),
    /// The request or the configuration is wrong. The step changed nothing.
    #[error("{0}")]
    Refused(String),
    /// The step failed, and a retry would not help. The text has the code and the message of AWS.
    #[error("{0}")]
    Failed(String),
    /// An operator aborted the run.
    #[error("{0}")]
    Aborted(String),
}

impl StepError {
    /// The error's name in the Amazon States Language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotYet(_) => "NotYet",
            Self::Throttled(_) => "Throttled",
            Self::Interrupted(_) => "Interrupted",
            Self::Refused(_) => "Refused",
            Self::Failed(_) => "Failed",
            Self::Aborted(_) => "Aborted",
        }
    }

    /// Whether the error is final: the state machine does not retry the step.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Failed(_) | Self::Aborted(_))
    }
}

impl From<Refusal> for StepError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

impl From<IllegalMove> for StepError {
    fn from(illegal: IllegalMove) -> Self {
        Self::Refused(illegal.to_string())
    }
}
