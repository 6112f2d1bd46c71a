//! One attempt at a Task state.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::settings::seconds;
use super::{Run, Visit};
use crate::definition::TaskKind;
use crate::event::{EventKind, TaskEvents};
use crate::fault::{Fault, Trouble, names};
use crate::outcome::Failure;
use crate::resources::{Heartbeat, Task};
use crate::size;

/// How an attempt ended.
enum Answer {
    Result(Result<Value, Failure>),
    TimedOut,
    NoHeartbeat,
}

impl<'r> Run<'r> {
    pub(super) async fn task(
        &self,
        kind: &'r TaskKind,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, Trouble> {
        let task = self.prepare(kind, visit, retries).map_err(|fault| visit.place(fault))?;
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
        let answer = self.call(task.into_public(), timeout, heartbeat_timeout).await;
        self.record_answer(answer, resource, visit)
    }

    /// All that can be computed before the resource is called.
    fn prepare(&self, kind: &'r TaskKind, visit: &Visit<'_, 'r>, retries: u32) -> Result<Prepared, Fault> {
        let token = kind.resource.ends_with(".waitForTaskToken").then(|| self.token());
        let environment = self.environment(visit, retries, token.as_deref());
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let input = match &kind.parameters {
            Some(parameters) => Arc::new(parameters.fill(&data, &environment)?),
            None => Arc::clone(&data),
        };
        let input = self.measured(input, visit.state)?;
        let credentials = kind.credentials.as_ref().map(|template| template.fill(&data, &environment).map(Arc::new));
        let credentials = credentials.transpose()?;
        let timeout = seconds(&kind.timeout, "TimeoutSecondsPath", &data, &environment)?;
        let heartbeat_timeout = seconds(&kind.heartbeat, "HeartbeatSecondsPath", &data, &environment)?;
        Ok(Prepared {
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

    async fn call(&self, task: Task, timeout: Option<Duration>, heartbeat_timeout: Option<Duration>) -> Answer {
        let heartbeat = task.heartbeat.clone();
        let mut call = self.resources.call(task);
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let silent_at = heartbeat_timeout.map(|timeout| heartbeat.last() + timeout);
            let Some(until) = deadline.into_iter().chain(silent_at).min() else {
                return Answer::Result(call.await);
            };
            match tokio::time::timeout_at(until, &mut call).await {
                Ok(result) => return Answer::Result(result),
                Err(_) if deadline == Some(until) => return Answer::TimedOut,
                // A heartbeat that came meanwhile moves the time at which silence is too long.
                Err(_) if heartbeat_timeout.is_some_and(|timeout| heartbeat.last() + timeout > until) => {}
                Err(_) => return Answer::NoHeartbeat,
            }
        }
    }

    fn record_answer(&self, answer: Answer, resource: Arc<str>, visit: &Visit<'_, 'r>) -> Result<Arc<Value>, Trouble> {
        let name = Arc::clone(&visit.state.name);
        let timed_out = matches!(answer, Answer::TimedOut | Answer::NoHeartbeat);
        // The service calls a lack of heartbeats a timeout too, and lets either name catch it.
        let alias = matches!(answer, Answer::NoHeartbeat).then_some(names::HEARTBEAT_TIMEOUT);
        let failure = match answer {
            Answer::Result(Ok(result)) if size::exceeds(&result, self.limits.payload_bytes) => {
                let Fault { error, cause } = Fault::too_large(TaskEvents::of(&resource).split(&resource).0);
                Failure { error: error.to_owned(), cause }
            }
            Answer::Result(Ok(result)) => {
                let output = Arc::new(result);
                self.record(visit.branch, EventKind::TaskSucceeded { resource, output: Arc::clone(&output) })?;
                return Ok(output);
            }
            Answer::Result(Err(failure)) => failure,
            Answer::TimedOut | Answer::NoHeartbeat => {
                Failure { error: names::TIMEOUT.to_owned(), cause: String::new() }
            }
        };
        let kind = match timed_out {
            true => EventKind::TaskTimedOut { name, resource, failure: failure.clone() },
            false => EventKind::TaskFailed { name, resource, failure: failure.clone() },
        };
        let (previous, _) = self.record(visit.branch, kind)?;
        Err(Trouble { alias, ..Trouble::of(failure, previous) })
    }

    fn token(&self) -> String {
        format!("{}{}", self.random.uuid(), self.random.uuid()).replace('-', "")
    }
}

/// A [`Task`] whose input and credentials are still shared with the event that shows them.
struct Prepared {
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

impl Prepared {
    fn into_public(self) -> Task {
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
