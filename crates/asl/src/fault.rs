//! What goes wrong inside a state, before it is known which state that is and whether anyone catches it.

use crate::outcome::Failure;

/// The names of the errors that the engine itself raises or knows.
pub(crate) mod names {
    pub(crate) const ALL: &str = "States.ALL";
    pub(crate) const BRANCH_FAILED: &str = "States.BranchFailed";
    pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    pub(crate) const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
    pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    pub(crate) const REFERENCE_PATH_CONFLICT: &str = "States.ReferencePathConflict";
    pub(crate) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    pub(crate) const RUNTIME: &str = "States.Runtime";
    pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
    pub(crate) const TIMEOUT: &str = "States.Timeout";
}

/// An error of the engine's own, not yet placed in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) error: &'static str,
    pub(crate) cause: String,
}

impl Fault {
    /// An error that ends the execution whatever it catches.
    pub(crate) fn runtime(cause: impl Into<String>) -> Fault {
        Fault { error: names::RUNTIME, cause: cause.into() }
    }

    pub(crate) fn new(error: &'static str, cause: impl Into<String>) -> Fault {
        Fault { error, cause: cause.into() }
    }

    /// A state or a task has to do with more bytes than the service takes.
    pub(crate) fn too_large(what: &str) -> Fault {
        let cause = format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Fault::new(names::DATA_LIMIT_EXCEEDED, cause)
    }
}

/// An error on its way outwards: past `Retry` and `Catch`, and through the branches around it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    /// A second name that `Retry` and `Catch` may know it by.
    pub(crate) alias: Option<&'static str>,
    /// Whether it ends the execution past every `Retry` and `Catch`.
    pub(crate) fatal: bool,
    /// Whether `States.ALL` and `States.TaskFailed` take it.
    pub(crate) wildcards: bool,
    /// The last event of the branch that it comes from.
    pub(crate) previous: u64,
}

impl Trouble {
    pub(crate) fn of(failure: Failure, previous: u64) -> Trouble {
        let fatal = failure.error == names::RUNTIME;
        Trouble { failure, alias: None, fatal, wildcards: true, previous }
    }
}
