//! How an execution, or one of its tasks, ends.

use serde_json::Value;

/// An error's name and its explanation, as `Catch` and `DescribeExecution` show them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Failure {
    /// The name that `Retry` and `Catch` compare. Empty if there is none (a Fail state needs none).
    pub error: String,
    /// For people. Empty if there is none.
    pub cause: String,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With this output.
    Succeeded(Value),
    /// With this error: `States.Timeout` if the machine's own `TimeoutSeconds` ran out.
    Failed(Failure),
}

/// What [`run`](crate::run()) answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// State transitions as the service bills them: one for every state entered and every retry.
    pub transitions: u64,
    /// How many events there were.
    pub events: u64,
}
