//! What an execution is given.

use jiff::Timestamp;
use serde_json::Value;

/// What an execution is given.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The execution's name.
    pub name: String,
    /// Its ARN. All chance (jitter, `States.UUID`, `States.MathRandom`, task tokens) derives from it.
    pub id: String,
    /// The role's ARN.
    pub role: String,
    /// The state machine's name.
    pub state_machine: String,
    /// The state machine's ARN.
    pub state_machine_id: String,
    /// Its input.
    pub input: Value,
    /// When it starts. What passes on tokio's clock is added to it.
    pub started: Timestamp,
    /// What it may use.
    pub limits: Limits,
}

/// The service's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events of one execution, the last one included.
    pub history_events: u64,
    /// Bytes, as JSON, of what a task, a branch or an iteration is given and of what a state or a task puts out.
    pub payload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { history_events: 25_000, payload_bytes: 262_144 }
    }
}
