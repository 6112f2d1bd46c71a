//! How a step ends when it does not end well. The variants' names are the names that the state machines' `Retry` and
//! `Catch` use; nothing else leaves a step.

use fleet::{IllegalMove, Refusal};

/// A step's named error, with a text for people in which the first line says it all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// What the step wants is not observed yet; ask again. Says what is waited for, on which id, until when.
    #[error("{0}")]
    NotYet(String),
    /// AWS asked to slow down; nothing is wrong.
    #[error("{0}")]
    Throttled(String),
    /// The answer was lost or AWS stumbled: the effect may be there or not, and asking again finds out.
    #[error("{0}")]
    Interrupted(String),
    /// The request or the configuration is wrong. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// It did not work, and asking again would not help. AWS's own code and text are in it.
    #[error("{0}")]
    Failed(String),
    /// A person wants the run to turn back.
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

    /// Whether the state machine gives the step up on this error instead of asking again.
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
