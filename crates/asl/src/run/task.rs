//! One attempt at a Task state.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::settings::seconds;
use super::{Run, Visit};
use crate::definition::TaskKind;
use crate::error::{EngineError, StateError, names};
use crate::event::{EventKind, TaskEvents};
use crate::execution::Failure;
use crate::resources::{Heartbeat, Task};
use crate::size;

/// How a call of the resource ended.
enum CallEnd {
    Returned(Result<Value, Failure>),
    TimedOut,
    NoHeartbeat,
}

impl<'r> Run<'r> {
    pub(super) async fn task(
        &self,
        kind: &'r TaskKind,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, StateError> {
        let task = self.prepare(kind, visit, retries).map_err(|error| visit.state_error(error))?;
        let resource = Arc::clone(&kind.resource);
        let timeout = task.timeout;
        let heartbeat_timeout = task.heartbeat_timeout;
        self.record(
            visit.branch,
            EventKind::TaskScheduled {
                name: Arc::clone(&visit.state.name),
                resource: Arc::clone(&resource),
                region: Arc::clone(&self.region),
                parameters: Arc::clone(&task.input),
                attempt: retries,
                timeout_seconds: timeout.map(|timeout| timeout.as_secs()),
                heartbeat_seconds: heartbeat_timeout.map(|timeout| timeout.as_secs()),
                credentials: task.credentials.clone(),
            },
        )?;
        self.record(visit.branch, EventKind::TaskStarted { resource: Arc::clone(&resource) })?;
        if TaskEvents::of(&resource).waits_for_end(&resource) {
            self.record(visit.branch, EventKind::TaskSubmitted { resource: Arc::clone(&resource) })?;
        }
        let end = self.call(task.into_task(), timeout, heartbeat_timeout).await;
        self.record_call_end(end, resource, visit)
    }

    /// Computes everything that the call of the resource requires.
    fn prepare(&self, kind: &'r TaskKind, visit: &Visit<'_, 'r>, retries: u32) -> Result<PreparedTask, EngineError> {
        let token = kind.resource.ends_with(".waitForTaskToken").then(|| self.token());
        let environment = self.environment(visit, retries, token.as_deref());
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let input = match &kind.parameters {
            Some(parameters) => Arc::new(parameters.fill(&data, &environment)?),
            None => Arc::clone(&data),
        };
        let input = self.check_size(input, visit.state)?;
        let credentials = kind.credentials.as_ref().map(|template| template.fill(&data, &environment).map(Arc::new));
        let credentials = credentials.transpose()?;
        let timeout = seconds(&kind.timeout, "TimeoutSecondsPath", &data, &environment)?;
        let heartbeat_timeout = seconds(&kind.heartbeat, "HeartbeatSecondsPath", &data, &environment)?;
        Ok(PreparedTask {
            state: visit.state.name.to_string(),
            resource: kind.resource.to_string(),
            input,
            attempt: retries,
            execution: self.identity.id.clone(),
            iteration: visit.branch.iteration,
            token,
            credentials,
            timeout,
            heartbeat_timeout,
        })
    }

    async fn call(&self, task: Task, timeout: Option<Duration>, heartbeat_timeout: Option<Duration>) -> CallEnd {
        let heartbeat = task.heartbeat.clone();
        let mut call = self.resources.call(task);
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let heartbeat_deadline = heartbeat_timeout.map(|timeout| heartbeat.last() + timeout);
            let Some(until) = deadline.into_iter().chain(heartbeat_deadline).min() else {
                return CallEnd::Returned(call.await);
            };
            match tokio::time::timeout_at(until, &mut call).await {
                Ok(result) => return CallEnd::Returned(result),
                Err(_) if deadline == Some(until) => return CallEnd::TimedOut,
                // A heartbeat during the wait extends the deadline.
                Err(_) if heartbeat_timeout.is_some_and(|timeout| heartbeat.last() + timeout > until) => {}
                Err(_) => return CallEnd::NoHeartbeat,
            }
        }
    }

    fn record_call_end(
        &self,
        end: CallEnd,
        resource: Arc<str>,
        visit: &Visit<'_, 'r>,
    ) -> Result<Arc<Value>, StateError> {
        let name = Arc::clone(&visit.state.name);
        let timed_out = matches!(end, CallEnd::TimedOut | CallEnd::NoHeartbeat);
        // The service names a missing heartbeat States.Timeout too, and both names match it.
        let alias = matches!(end, CallEnd::NoHeartbeat).then_some(names::HEARTBEAT_TIMEOUT);
        let failure = match end {
            CallEnd::Returned(Ok(result)) if size::exceeds(&result, self.limits.payload_bytes) => {
                let EngineError { name, cause } = EngineError::too_large(TaskEvents::of(&resource).split(&resource).0);
                Failure { error: name.to_owned(), cause }
            }
            CallEnd::Returned(Ok(result)) => {
                let output = Arc::new(result);
                self.record(visit.branch, EventKind::TaskSucceeded { resource, output: Arc::clone(&output) })?;
                return Ok(output);
            }
            CallEnd::Returned(Err(failure)) => failure,
            CallEnd::TimedOut | CallEnd::NoHeartbeat => {
                Failure { error: names::TIMEOUT.to_owned(), cause: String::new() }
            }
        };
        let kind = match timed_out {
            true => EventKind::TaskTimedOut { name, resource, failure: failure.clone() },
            false => EventKind::TaskFailed { name, resource, failure: failure.clone() },
        };
        let (previous, _) = self.record(visit.branch, kind)?;
        Err(StateError { alias, ..StateError::new(failure, previous) })
    }

    fn token(&self) -> String {
        format!("{}{}", self.random.uuid(), self.random.uuid()).replace('-', "")
    }
}

/// A [`Task`] whose input and credentials are still shared with the `TaskScheduled` event.
struct PreparedTask {
    state: String,
    resource: String,
    input: Arc<Value>,
    attempt: u32,
    execution: String,
    iteration: Option<u64>,
    token: Option<String>,
    credentials: Option<Arc<Value>>,
    timeout: Option<Duration>,
    heartbeat_timeout: Option<Duration>,
}

impl PreparedTask {
    fn into_task(self) -> Task {
        Task {
            state: self.state,
            resource: self.resource,
            input: Arc::unwrap_or_clone(self.input),
            attempt: self.attempt,
            token: self.token,
            credentials: self.credentials.map(Arc::unwrap_or_clone),
            execution: self.execution,
            iteration: self.iteration,
            timeout: self.timeout,
            heartbeat: Heartbeat::new(),
        }
    }
}
