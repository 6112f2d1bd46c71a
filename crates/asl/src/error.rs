//! Errors within an execution, before and after the state that raised them is known.

use crate::execution::Failure;

/// The names of the errors that the engine itself raises or matches.
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

/// An error that the engine raises. It does not yet say in which state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EngineError {
    /// One of [`names`].
    pub(crate) name: &'static str,
    pub(crate) cause: String,
}

impl EngineError {
    /// An error that no `Retry` or `Catch` matches, so that it ends the execution.
    pub(crate) fn runtime(cause: impl Into<String>) -> EngineError {
        EngineError { name: names::RUNTIME, cause: cause.into() }
    }

    pub(crate) fn new(name: &'static str, cause: impl Into<String>) -> EngineError {
        EngineError { name, cause: cause.into() }
    }

    /// The error for a value of more bytes than the service allows. `what` is the state or the task that made it.
    pub(crate) fn too_large(what: &str) -> EngineError {
        let cause = format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        EngineError::new(names::DATA_LIMIT_EXCEEDED, cause)
    }
}

/// An error of a state. It passes through the state's `Retry` and `Catch`, then through those of each state around it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StateError {
    pub(crate) failure: Failure,
    /// A second name that `Retry` and `Catch` match.
    pub(crate) alias: Option<&'static str>,
    /// Whether the error ends the execution, whatever `Retry` and `Catch` say.
    pub(crate) fatal: bool,
    /// Whether `States.ALL` and `States.TaskFailed` match the error.
    pub(crate) wildcards: bool,
    /// The last event of the branch that raised the error.
    pub(crate) previous: u64,
}

impl StateError {
    pub(crate) fn new(failure: Failure, previous: u64) -> StateError {
        let fatal = failure.error == names::RUNTIME;
        StateError { failure, alias: None, fatal, wildcards: true, previous }
    }
}
