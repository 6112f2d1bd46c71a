//! What an execution gets, and how it ends.

use jiff::Timestamp;
use serde_json::Value;

/// The input and the identity of an execution.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The execution's name.
    pub name: String,
    /// The execution's ARN. It seeds every random value: jitter, `States.UUID`, `States.MathRandom` and task tokens.
    pub id: String,
    /// The ARN of the role that the execution runs under.
    pub role: String,
    /// The state machine's name.
    pub state_machine: String,
    /// The state machine's ARN.
    pub state_machine_id: String,
    /// The input of the first state.
    pub input: Value,
    /// The start time. The engine adds the time that passes on tokio's clock to it.
    pub started: Timestamp,
    /// The quotas that the execution must keep.
    pub limits: Limits,
}

/// Quotas of an execution. The defaults are those of Step Functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of events in an execution's history, the last event included.
    pub history_events: u64,
    /// The maximum size, in bytes of JSON, of the input of a task, branch or iteration, and of the output of a state or
    /// task.
    pub payload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { history_events: 25_000, payload_bytes: 262_144 }
    }
}

/// An error's name and its explanation, as `Catch` and `DescribeExecution` show them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Failure {
    /// The name that `Retry` and `Catch` compare. Empty if a Fail state gives none.
    pub error: String,
    /// The explanation for a person. Empty if there is none.
    pub cause: String,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The execution succeeded with this output.
    Succeeded(Value),
    /// The execution failed with this error. The error is `States.Timeout` if the state machine's own `TimeoutSeconds`
    /// expired.
    Failed(Failure),
}

/// What [`run`](crate::run()) returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// How the execution ended.
    pub outcome: Outcome,
    /// The number of state transitions that Step Functions bills: one for every state entered and every retry.
    pub transitions: u64,
    /// The number of events.
    pub events: u64,
}
