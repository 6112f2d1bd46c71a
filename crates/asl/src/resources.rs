//! The door to whoever performs Task states.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use crate::outcome::Failure;

/// One attempt at a Task state.
#[derive(Clone, Debug)]
pub struct Task {
    /// The state's name.
    pub state: String,
    /// The state's `Resource`.
    pub resource: String,
    /// The effective input, `Parameters` applied.
    pub input: Value,
    /// 0 for the first attempt, then one more with each retry.
    pub attempt: u32,
    /// The token of a `….waitForTaskToken` resource.
    pub token: Option<String>,
    /// The state's `Credentials`, computed, if any.
    pub credentials: Option<Value>,
    /// The id (ARN) of the execution.
    pub execution: String,
    /// The index of the innermost Map iteration that the state runs in, if any.
    pub iteration: Option<u64>,
    /// The evaluated `TimeoutSeconds`, if any; the engine sees to it.
    pub timeout: Option<Duration>,
    /// Call [`Heartbeat::beat`] to keep a state with `HeartbeatSeconds` alive.
    pub heartbeat: Heartbeat,
}

/// Whoever performs Task states.
///
/// An answer with the error `States.Runtime` is fatal: neither `Retry` nor `Catch` sees it. A future that is
/// no longer wanted (a timeout, a failed sibling branch) is dropped.
pub trait Resources {
    /// Performs one attempt. For `….waitForTaskToken` the future resolves when the callback came.
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>>;
}

/// What `SendTaskHeartbeat` is to a worker.
#[derive(Clone, Debug)]
pub struct Heartbeat(Rc<Cell<Instant>>);

impl Heartbeat {
    pub(crate) fn new() -> Heartbeat {
        Heartbeat(Rc::new(Cell::new(Instant::now())))
    }

    /// Says that the task is alive.
    pub fn beat(&self) {
        self.0.set(Instant::now());
    }

    pub(crate) fn last(&self) -> Instant {
        self.0.get()
    }
}
