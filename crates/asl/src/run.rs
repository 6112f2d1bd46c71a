//! Runs a state machine.
//!
//! An execution is one future. It polls its branches and iterations as inner futures and spawns nothing. It reads only
//! tokio's clock. With that clock paused, waits take no real time, and the same inputs give the same events.
//!
//! [`task`], [`parallel`] and [`map`] make one attempt at a state of their type. [`handling`] retries, catches and makes
//! the output. [`simple`] has the states that cannot be retried. This file goes from state to state.

mod batch;
mod branch;
mod handling;
mod log;
mod map;
mod outputs;
mod parallel;
mod settings;
mod simple;
mod task;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use crate::context::{Environment, Identity};
use crate::definition::{Kind, Machine, Select, State, StateMachine};
use crate::error::{EngineError, StateError, names};
use crate::event::{Event, EventKind};
use crate::execution::{Execution, Limits};
use crate::execution::{Failure, Finished, Outcome};
use crate::path::Miss;
use crate::random::Random;
use crate::resources::Resources;
use crate::size::{self, ByteBudget};
use crate::template;

use branch::Branch;
use log::Log;

/// The service's maximum duration of an execution: a year.
const EXECUTION_SECONDS_MAX: u64 = 365 * 24 * 60 * 60;

/// Runs an execution to its end. The observer gets each event when it happens.
pub async fn run(
    machine: &StateMachine,
    execution: Execution,
    resources: &dyn Resources,
    observer: &mut dyn FnMut(&Event),
) -> Finished {
    let machine: &Machine = &machine.machine;
    let limits = execution.limits;
    let identity = Identity {
        name: execution.name,
        id: execution.id,
        role: execution.role,
        state_machine: execution.state_machine,
        state_machine_id: execution.state_machine_id,
        input: Arc::new(execution.input),
        started: execution.started,
    };
    let run = Run {
        log: Log::new(execution.started, limits.history_events, observer),
        random: Random::from_text(&identity.id),
        region: Arc::from(identity.id.split(':').nth(3).unwrap_or_default()),
        transitions: Cell::new(0),
        limits,
        resources,
        identity: &identity,
    };
    let result = run.execute(machine).await;
    let outcome = run.record_end(result);
    Finished { outcome, transitions: run.transitions.get(), events: run.log.count() }
}

/// A running execution. `'r` is its lifetime.
struct Run<'r> {
    log: Log<'r>,
    random: Random,
    /// The region in the execution's ARN.
    region: Arc<str>,
    transitions: Cell<u64>,
    limits: Limits,
    resources: &'r dyn Resources,
    identity: &'r Identity,
}

/// One visit to a state, from its entry to its exit.
struct Visit<'v, 'r> {
    state: &'r State,
    branch: &'v Branch<'r>,
    /// The id of the entry's event.
    entered: u64,
    entered_at: Timestamp,
    /// The state's input, before `InputPath`.
    input: Arc<Value>,
}

/// How a state ends.
struct Exit {
    output: Arc<Value>,
    /// The index of the next state. `None` if the machine ends.
    next: Option<usize>,
    assigned: Option<Arc<Value>>,
}

/// Why an execution fails.
enum ExecutionError {
    State(StateError),
    TimedOut,
}

impl<'r> Run<'r> {
    async fn execute(&self, machine: &'r Machine) -> Result<(Arc<Value>, u64), ExecutionError> {
        let branch = Branch::outermost();
        let input = Arc::clone(&self.identity.input);
        let started =
            EventKind::ExecutionStarted { input: Arc::clone(&input), role: Arc::from(self.identity.role.as_str()) };
        self.log.record(0, None, started).map_err(ExecutionError::State)?;
        let states = self.states(machine, input, &branch);
        let seconds = machine.timeout_seconds.unwrap_or(EXECUTION_SECONDS_MAX).min(EXECUTION_SECONDS_MAX);
        let output = tokio::time::timeout(Duration::from_secs(seconds), states).await;
        let output = output.map_err(|_| ExecutionError::TimedOut)?;
        output.map(|output| (output, branch.previous.get())).map_err(ExecutionError::State)
    }

    /// Records the last event. [`Log`] reserves a place for it in the history.
    fn record_end(&self, result: Result<(Arc<Value>, u64), ExecutionError>) -> Outcome {
        match result {
            Ok((output, previous)) => {
                self.log.record_last(previous, EventKind::ExecutionSucceeded { output: Arc::clone(&output) });
                Outcome::Succeeded(Arc::unwrap_or_clone(output))
            }
            Err(ExecutionError::State(error)) => {
                self.log.record_last(error.previous, EventKind::ExecutionFailed(error.failure.clone()));
                Outcome::Failed(error.failure)
            }
            Err(ExecutionError::TimedOut) => {
                let failure = Failure { error: names::TIMEOUT.to_owned(), cause: String::new() };
                // The service gives this event no previous one.
                self.log.record_last(0, EventKind::ExecutionTimedOut(failure.clone()));
                Outcome::Failed(failure)
            }
        }
    }

    /// Runs a machine from its first state to its end.
    async fn states(
        &self,
        machine: &'r Machine,
        input: Arc<Value>,
        branch: &Branch<'r>,
    ) -> Result<Arc<Value>, StateError> {
        let mut input = input;
        let mut state = state_at(machine, machine.start);
        loop {
            let state_type = state.kind.state_type();
            let name = Arc::clone(&state.name);
            let entry = EventKind::StateEntered { state_type, name, input: Arc::clone(&input) };
            let (entered, entered_at) = self.record(branch, entry)?;
            branch.node.state.set(Some(state));
            self.transitions.set(self.transitions.get() + 1);
            let visit = Visit { state, branch, entered, entered_at, input };
            let exit = match &state.kind {
                Kind::Choice(choice) => self.choice(choice, &visit).map_err(|error| visit.state_error(error))?,
                Kind::Fail { error, cause } => return Err(self.fail(error, cause, &visit)),
                Kind::Pass(pass) => self.pass(pass, visit)?,
                Kind::Succeed => self.succeed(&visit).map_err(|error| visit.state_error(error))?,
                Kind::Wait(until) => self.wait(until, &visit).await.map_err(|error| visit.state_error(error))?,
                Kind::Task(task) => self.run_with_retries(&task.handling, visit).await?,
                Kind::Parallel(parallel) => self.run_with_retries(&parallel.handling, visit).await?,
                Kind::Map(map) => self.run_with_retries(&map.handling, visit).await?,
            };
            let Exit { output, next, assigned } = exit;
            let name = Arc::clone(&state.name);
            let exited = EventKind::StateExited { state_type, name, output: Arc::clone(&output), assigned };
            match state.kind.takes_time() {
                true => self.record(branch, exited)?,
                false => self.record_at(entered_at, branch, exited)?,
            };
            branch.node.state.set(None);
            match next {
                Some(next) => state = state_at(machine, next),
                None => return Ok(output),
            }
            input = output;
        }
    }

    /// Like [`states`](Self::states), but boxed, as machines within machines require.
    fn inner_states<'a>(
        &'a self,
        machine: &'r Machine,
        input: Arc<Value>,
        branch: &'a Branch<'r>,
    ) -> LocalBoxFuture<'a, Result<Arc<Value>, StateError>> {
        Box::pin(self.states(machine, input, branch))
    }

    /// Records an event of a branch. The branch's next event comes after it.
    fn record(&self, branch: &Branch<'r>, kind: EventKind) -> Result<(u64, Timestamp), StateError> {
        self.record_at(self.log.now(), branch, kind)
    }

    /// Like [`record`](Self::record), for an event whose time is known.
    fn record_at(&self, at: Timestamp, branch: &Branch<'r>, kind: EventKind) -> Result<(u64, Timestamp), StateError> {
        let id = self.log.record_at(at, branch.previous.get(), branch.iteration, kind)?;
        branch.previous.set(id);
        branch.latest.set(id);
        Ok((id, at))
    }

    /// Records an event of a branch without making it the previous event of the next one.
    fn record_without_advancing(&self, branch: &Branch<'r>, kind: EventKind) -> Result<u64, StateError> {
        let id = self.log.record(branch.previous.get(), branch.iteration, kind)?;
        branch.latest.set(id);
        Ok(id)
    }

    fn environment<'a>(&'a self, visit: &'a Visit<'_, 'r>, retries: u32, token: Option<&'a str>) -> Environment<'a> {
        Environment {
            identity: self.identity,
            scope: &visit.branch.scope,
            random: &self.random,
            item: visit.branch.item.as_deref(),
            state: &visit.state.name,
            entered: visit.entered_at,
            retries: visit.state.kind.can_be_retried().then_some(retries),
            token,
            payload_bytes: self.limits.payload_bytes,
        }
    }

    /// Applies `InputPath` or `OutputPath`.
    fn select(
        &self,
        select: &Select,
        data: &Arc<Value>,
        environment: &Environment<'_>,
    ) -> Result<Arc<Value>, EngineError> {
        match select {
            Select::All => Ok(Arc::clone(data)),
            Select::Nothing => Ok(Arc::new(Value::Object(serde_json::Map::new()))),
            Select::Path(path) => match template::find(path, data, environment) {
                Ok(found) => Ok(Arc::new(found.into_owned())),
                Err(Miss::NullRoot) => {
                    Err(EngineError::runtime("Unable to apply Path transformation to null or empty input."))
                }
                Err(Miss::TooLarge) => Err(EngineError::too_large(environment.state)),
                Err(Miss::Before(index)) => Err(EngineError::runtime(format!(
                    "Invalid path '{}' : Missing property in path {}",
                    path.text,
                    path.bracketed(index + 1)
                ))),
                Err(Miss::Last { .. }) => Err(EngineError::runtime(format!(
                    "Invalid path '{}' : No results for path: {}",
                    path.text,
                    path.bracketed(path.steps.len())
                ))),
            },
        }
    }

    /// Checks the size of an input that a state has made for a task, branch or iteration.
    fn check_size(&self, input: Arc<Value>, state: &State) -> Result<Arc<Value>, EngineError> {
        match size::exceeds(&input, self.limits.payload_bytes) {
            true => Err(EngineError::too_large(&state.name)),
            false => Ok(input),
        }
    }

    fn payload_budget(&self) -> ByteBudget {
        ByteBudget::new(self.limits.payload_bytes)
    }

    /// Applies `OutputPath` and checks the output's size. `is_checked` says that the data is known to be small enough.
    fn output(
        &self,
        data: &Arc<Value>,
        is_checked: bool,
        visit: &Visit<'_, 'r>,
        environment: &Environment<'_>,
    ) -> Result<Arc<Value>, EngineError> {
        let output = self.select(&visit.state.output_path, data, environment)?;
        let is_part = visit.state.output_path.is_within_data();
        if !(is_checked && is_part) && size::exceeds(&output, self.limits.payload_bytes) {
            return Err(EngineError::too_large(&visit.state.name));
        }
        Ok(output)
    }
}

impl Visit<'_, '_> {
    /// The engine's error as an error of this state.
    fn state_error(&self, error: EngineError) -> StateError {
        let cause = match error.name {
            names::RUNTIME => format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). {}",
                self.state.name, self.entered, error.cause
            ),
            _ => error.cause,
        };
        let failure = Failure { error: error.name.to_owned(), cause };
        // The documentation says that the wildcards do not match States.DataLimitExceeded. In recorded executions they do
        // match it for a task's result. So this excludes them only for a value that the engine made.
        let wildcards = error.name != names::DATA_LIMIT_EXCEEDED;
        StateError { wildcards, ..StateError::new(failure, self.branch.latest.get()) }
    }
}

#[expect(clippy::indexing_slicing, reason = "the loader resolved the index")]
fn state_at(machine: &Machine, index: usize) -> &State {
    &machine.states[index]
}
