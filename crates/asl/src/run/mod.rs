//! Runs a state machine.
//!
//! An execution is one future: branches and iterations are futures within it, polled by it, never spawned. Time is
//! tokio's clock only. So whoever pauses that clock gets waits for free, and the same inputs give the same events.
//!
//! From the inside out: [`task`], [`parallel`] and [`map`] make one attempt at their state; [`work`] retries, catches
//! and shapes the result; [`simple`] has the states that cannot be retried; this file walks from state to state.

mod batch;
mod branch;
mod log;
mod map;
mod outputs;
mod parallel;
mod settings;
mod simple;
mod task;
mod work;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use crate::context::{Environment, Identity};
use crate::definition::{Kind, Machine, Select, State, StateMachine};
use crate::event::{Event, EventKind};
use crate::execution::{Execution, Limits};
use crate::fault::{Fault, Trouble, names};
use crate::outcome::{Failure, Finished, Outcome};
use crate::path::Miss;
use crate::random::Random;
use crate::resources::Resources;
use crate::size::{self, Room};
use crate::template;

use branch::Branch;
use log::Log;

/// The longest that the service lets an execution run: a year.
const EXECUTION_SECONDS_MAX: u64 = 365 * 24 * 60 * 60;

/// Runs an execution to its end. The observer sees each event as it happens.
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
    let ended = run.whole(machine).await;
    let outcome = run.end(ended);
    Finished { outcome, transitions: run.transitions.get(), events: run.log.count() }
}

/// An execution under way. `'r` is the time that it takes.
struct Run<'r> {
    log: Log<'r>,
    random: Random,
    /// As the execution's ARN has it.
    region: Arc<str>,
    transitions: Cell<u64>,
    limits: Limits,
    resources: &'r dyn Resources,
    identity: &'r Identity,
}

/// One stay in a state.
struct Visit<'v, 'r> {
    state: &'r State,
    branch: &'v Branch<'r>,
    /// The event of its entry.
    entered: u64,
    entered_at: Timestamp,
    /// What the state was given, before `InputPath`.
    input: Arc<Value>,
}

/// How a state is left.
struct Exit {
    output: Arc<Value>,
    next: Option<usize>,
    assigned: Option<Arc<Value>>,
}

/// How an execution ends if not well.
enum Ended {
    Trouble(Trouble),
    TimedOut,
}

impl<'r> Run<'r> {
    async fn whole(&self, machine: &'r Machine) -> Result<(Arc<Value>, u64), Ended> {
        let branch = Branch::outermost();
        let input = Arc::clone(&self.identity.input);
        let started =
            EventKind::ExecutionStarted { input: Arc::clone(&input), role: Arc::from(self.identity.role.as_str()) };
        self.log.record(0, None, started).map_err(Ended::Trouble)?;
        let states = self.states(machine, input, &branch);
        let seconds = machine.timeout_seconds.unwrap_or(EXECUTION_SECONDS_MAX).min(EXECUTION_SECONDS_MAX);
        let output = tokio::time::timeout(Duration::from_secs(seconds), states).await;
        let output = output.map_err(|_| Ended::TimedOut)?;
        output.map(|output| (output, branch.previous.get())).map_err(Ended::Trouble)
    }

    /// Records the last event, for which there is always room.
    fn end(&self, ended: Result<(Arc<Value>, u64), Ended>) -> Outcome {
        match ended {
            Ok((output, previous)) => {
                self.log.record_last(previous, EventKind::ExecutionSucceeded { output: Arc::clone(&output) });
                Outcome::Succeeded(Arc::unwrap_or_clone(output))
            }
            Err(Ended::Trouble(trouble)) => {
                self.log.record_last(trouble.previous, EventKind::ExecutionFailed(trouble.failure.clone()));
                Outcome::Failed(trouble.failure)
            }
            Err(Ended::TimedOut) => {
                let failure = Failure { error: names::TIMEOUT.to_owned(), cause: String::new() };
                // The service lets it come from no event, as if the execution were cut at its start.
                self.log.record_last(0, EventKind::ExecutionTimedOut(failure.clone()));
                Outcome::Failed(failure)
            }
        }
    }

    /// From the first state of a machine to its end.
    async fn states(
        &self,
        machine: &'r Machine,
        input: Arc<Value>,
        branch: &Branch<'r>,
    ) -> Result<Arc<Value>, Trouble> {
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
                Kind::Choice(choice) => self.choice(choice, &visit).map_err(|fault| visit.place(fault))?,
                Kind::Fail { error, cause } => return Err(self.fail(error, cause, &visit)),
                Kind::Pass(pass) => self.pass(pass, visit)?,
                Kind::Succeed => self.succeed(&visit).map_err(|fault| visit.place(fault))?,
                Kind::Wait(until) => self.wait(until, &visit).await.map_err(|fault| visit.place(fault))?,
                Kind::Task(task) => self.work(&task.work, visit).await?,
                Kind::Parallel(parallel) => self.work(&parallel.work, visit).await?,
                Kind::Map(map) => self.work(&map.work, visit).await?,
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

    /// The same with its type erased, which machines within machines need.
    fn inner_states<'a>(
        &'a self,
        machine: &'r Machine,
        input: Arc<Value>,
        branch: &'a Branch<'r>,
    ) -> LocalBoxFuture<'a, Result<Arc<Value>, Trouble>> {
        Box::pin(self.states(machine, input, branch))
    }

    /// Records an event of a branch that the branch goes on from.
    fn record(&self, branch: &Branch<'r>, kind: EventKind) -> Result<(u64, Timestamp), Trouble> {
        self.record_at(self.log.now(), branch, kind)
    }

    /// The same for an event of a known time.
    fn record_at(&self, at: Timestamp, branch: &Branch<'r>, kind: EventKind) -> Result<(u64, Timestamp), Trouble> {
        let id = self.log.record_at(at, branch.previous.get(), branch.iteration, kind)?;
        branch.previous.set(id);
        branch.latest.set(id);
        Ok((id, at))
    }

    /// Records an event of a branch that is passed by: the next one comes from the same event as this.
    fn record_aside(&self, branch: &Branch<'r>, kind: EventKind) -> Result<u64, Trouble> {
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

    /// `InputPath` or `OutputPath`.
    fn select(&self, select: &Select, data: &Arc<Value>, environment: &Environment<'_>) -> Result<Arc<Value>, Fault> {
        match select {
            Select::All => Ok(Arc::clone(data)),
            Select::Nothing => Ok(Arc::new(Value::Object(serde_json::Map::new()))),
            Select::Path(path) => match template::find(path, data, environment) {
                Ok(found) => Ok(Arc::new(found.into_owned())),
                Err(Miss::NullRoot) => {
                    Err(Fault::runtime("Unable to apply Path transformation to null or empty input."))
                }
                Err(Miss::TooLarge) => Err(Fault::too_large(environment.state)),
                Err(Miss::Before(taken)) => Err(Fault::runtime(format!(
                    "Invalid path '{}' : Missing property in path {}",
                    path.text,
                    path.bracketed(taken + 1)
                ))),
                Err(Miss::Last { .. }) => Err(Fault::runtime(format!(
                    "Invalid path '{}' : No results for path: {}",
                    path.text,
                    path.bracketed(path.steps.len())
                ))),
            },
        }
    }

    /// What a state has made for a task, a branch or an iteration, if it is not too large.
    fn measured(&self, input: Arc<Value>, state: &State) -> Result<Arc<Value>, Fault> {
        match size::exceeds(&input, self.limits.payload_bytes) {
            true => Err(Fault::too_large(&state.name)),
            false => Ok(input),
        }
    }

    fn payload_room(&self) -> Room {
        Room::of(self.limits.payload_bytes)
    }

    /// `OutputPath`, and whether the output is too large. `measured` says that the data is known not to be.
    fn output(
        &self,
        data: &Arc<Value>,
        measured: bool,
        visit: &Visit<'_, 'r>,
        environment: &Environment<'_>,
    ) -> Result<Arc<Value>, Fault> {
        let output = self.select(&visit.state.output_path, data, environment)?;
        let is_part = visit.state.output_path.is_within_data();
        if !(measured && is_part) && size::exceeds(&output, self.limits.payload_bytes) {
            return Err(Fault::too_large(&visit.state.name));
        }
        Ok(output)
    }
}

impl Visit<'_, '_> {
    /// An error of the engine's own, as an error of this state.
    fn place(&self, fault: Fault) -> Trouble {
        let cause = match fault.error {
            names::RUNTIME => format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). {}",
                self.state.name, self.entered, fault.cause
            ),
            _ => fault.cause,
        };
        let failure = Failure { error: fault.error.to_owned(), cause };
        let mut trouble = Trouble::of(failure, self.branch.latest.get());
        // The documentation keeps them from this error. Recorded executions do not where it is a task's result that is
        // too large, so that it is kept to what the service itself makes.
        trouble.wildcards = fault.error != names::DATA_LIMIT_EXCEEDED;
        trouble
    }
}

#[expect(clippy::indexing_slicing, reason = "the loader resolved the index")]
fn state_at(machine: &Machine, index: usize) -> &State {
    &machine.states[index]
}
