//! The interface to the code that performs Task states.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use crate::execution::Failure;

/// One attempt at a Task state.
#[derive(Clone, Debug)]
pub struct Task {
    /// The state's name.
    pub state: String,
    /// The state's `Resource`.
    pub resource: String,
    /// The input, after `InputPath` and `Parameters`.
    pub input: Value,
    /// The number of the attempt. The first attempt has 0, and each retry adds 1.
    pub attempt: u32,
    /// The token of a `….waitForTaskToken` resource.
    pub token: Option<String>,
    /// The computed `Credentials` of the state, if any.
    pub credentials: Option<Value>,
    /// The id (ARN) of the execution.
    pub execution: String,
    /// The index of the innermost Map iteration that the state runs in, if any.
    pub iteration: Option<u64>,
    /// The computed `TimeoutSeconds`, if any. The engine enforces it.
    pub timeout: Option<Duration>,
    /// The heartbeat. In a state with `HeartbeatSeconds`, the task must call [`Heartbeat::beat`] within each such interval.
    pub heartbeat: Heartbeat,
}

/// Performs Task states.
///
/// The error `States.Runtime` is fatal: no `Retry` or `Catch` matches it. The engine drops a future that it no longer
/// needs, after a timeout or after a failure of another branch.
pub trait Resources {
    /// Performs one attempt. The future resolves with the task's result: for `.sync` when the job ends, for
    /// `.waitForTaskToken` when the callback comes.
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>>;
}

/// Reports that a task is alive, as `SendTaskHeartbeat` does for a worker. Clones share the time of the last heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat(Rc<Cell<Instant>>);

impl Heartbeat {
    pub(crate) fn new() -> Heartbeat {
        Heartbeat(Rc::new(Cell::new(Instant::now())))
    }

    /// Records a heartbeat at the current time.
    pub fn beat(&self) {
        self.0.set(Instant::now());
    }

    pub(crate) fn last(&self) -> Instant {
        self.0.get()
    }
}
