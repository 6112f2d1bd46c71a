//! The steps of a rehearsal, gathered from the engine's events.

use asl::{Event, EventKind, StateType};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One stay in a Task state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The state's name in the definition.
    pub name: String,
    /// When it was entered, in virtual seconds since the start.
    pub started: f64,
    /// When its last attempt ended, likewise.
    pub ended: f64,
    /// How often it was asked.
    pub attempts: u32,
    /// The error that it was given up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip)]
    iteration: Option<u64>,
    #[serde(skip)]
    pub(super) payload: Value,
    #[serde(skip)]
    pub(super) left: bool,
    #[serde(skip)]
    asked: f64,
}

/// Gathers the steps.
pub(super) struct Steps {
    pub(super) execution_started: Timestamp,
    pub(super) all: Vec<Step>,
    /// What all functions together ran, in virtual seconds.
    pub(super) function_seconds: f64,
}

impl Steps {
    pub(super) fn new(execution_started: Timestamp) -> Self {
        Self { execution_started, all: Vec::new(), function_seconds: 0.0 }
    }

    pub(super) fn see(&mut self, event: &Event) {
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
                asked: at,
            }),
            EventKind::TaskScheduled { name, parameters, .. } => {
                if let Some(step) = self.open(name, event.iteration) {
                    step.asked = at;
                    step.attempts += 1;
                    step.payload = parameters["Payload"].clone();
                }
            }
            EventKind::TaskFailed { name, failure, .. } | EventKind::TaskTimedOut { name, failure, .. } => {
                let error = format!("{}: {}", failure.error, super::reason(failure));
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

    /// An attempt of the open step ends.
    fn ended(&mut self, name: &str, iteration: Option<u64>, at: f64) -> Option<&mut Step> {
        let seconds = self.open(name, iteration).map_or(0.0, |step| at - step.asked);
        self.function_seconds += seconds;
        let step = self.open(name, iteration)?;
        step.ended = at;
        Some(step)
    }
}
