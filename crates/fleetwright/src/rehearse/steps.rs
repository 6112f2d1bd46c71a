//! The steps of a rehearsal, collected from the engine's events.

use crate::lambda::first_line;
use asl::{Event, EventKind, StateType};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One entry of a Task state, with all its attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The state's name in the definition.
    pub name: String,
    /// When the state was entered, in virtual seconds since the start.
    pub started: f64,
    /// When its last attempt ended, in virtual seconds since the start.
    pub ended: f64,
    /// How many attempts it took.
    pub attempts: u32,
    /// The error of its last attempt, if the state failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip)]
    iteration: Option<u64>,
    /// The `Payload` of its latest attempt.
    #[serde(skip)]
    pub(super) payload: Value,
    /// Whether the state machine has left the state.
    #[serde(skip)]
    pub(super) left: bool,
    /// When its latest attempt began, in virtual seconds since the start.
    #[serde(skip)]
    attempted: f64,
}

/// Collects the steps.
pub(super) struct Steps {
    pub(super) execution_started: Timestamp,
    pub(super) all: Vec<Step>,
    /// How long all functions ran in total, in virtual seconds.
    pub(super) function_seconds: f64,
}

impl Steps {
    pub(super) fn new(execution_started: Timestamp) -> Self {
        Self { execution_started, all: Vec::new(), function_seconds: 0.0 }
    }

    pub(super) fn observe(&mut self, event: &Event) {
        let at = event.at.duration_since(self.execution_started).as_secs_f64();
        match &event.kind {
            EventKind::StateEntered { state_type: StateType::Task, name, .. } => self.all.push(Step {
                name: name.to_string(),
                started: at,
                ended: at,
                attempts: 0,
                error: None,
                iteration: event.iteration,
                payload: Value::Null,
                left: false,
                attempted: at,
            }),
            EventKind::TaskScheduled { name, parameters, .. } => {
                if let Some(step) = self.open(name, event.iteration) {
                    step.attempted = at;
                    step.attempts += 1;
                    step.payload = parameters["Payload"].clone();
                }
            }
            EventKind::TaskFailed { name, failure, .. } | EventKind::TaskTimedOut { name, failure, .. } => {
                let error = format!("{}: {}", failure.error, first_line(&failure.cause));
                if let Some(step) = self.ended(name, event.iteration, at) {
                    step.error = Some(error);
                }
            }
            EventKind::StateExited { state_type: StateType::Task, name, .. } => {
                if let Some(step) = self.ended(name, event.iteration, at) {
                    (step.error, step.left) = (None, true);
                }
            }
            EventKind::StateAborted { name, .. } => {
                if let Some(step) = self.open(name, event.iteration) {
                    (step.ended, step.error) = (at, None);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, name: &str, iteration: Option<u64>) -> Option<&mut Step> {
        self.all.iter_mut().rev().find(|step| step.name == name && step.iteration == iteration && !step.left)
    }

    /// Ends an attempt of the step that is in this state.
    fn ended(&mut self, name: &str, iteration: Option<u64>, at: f64) -> Option<&mut Step> {
        let seconds = self.open(name, iteration).map_or(0.0, |step| at - step.attempted);
        self.function_seconds += seconds;
        let step = self.open(name, iteration)?;
        step.ended = at;
        Some(step)
    }
}
