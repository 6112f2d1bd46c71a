//! Turns the engine's events into the step events that a display shows.

use crate::Streams;
use crate::display::{StepDisplay, StepEvent};
use crate::lambda::first_line;
use asl::{Event, EventKind, StateType};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The progress of a rehearsed execution.
pub(super) struct Progress<'p, 's> {
    display: StepDisplay<'p, 's>,
    started: Option<Timestamp>,
    /// The steps under way by state and Map iteration: when each began, and its attempts so far.
    under_way: BTreeMap<(String, Option<u64>), (Timestamp, u32)>,
}

impl<'p, 's> Progress<'p, 's> {
    /// The progress of an execution that enters this many steps if nothing goes wrong.
    pub(super) fn new(steps: Option<u64>, streams: &'p mut Streams<'s>) -> Self {
        Self { display: StepDisplay::new(steps, streams), started: None, under_way: BTreeMap::new() }
    }

    /// Shows what an event of the execution means for its steps.
    pub(super) fn observe(&mut self, event: &Event) {
        let started = *self.started.get_or_insert(event.at);
        let at = event.at.duration_since(started).as_secs();
        match &event.kind {
            EventKind::StateEntered { state_type: StateType::Task, name, .. } => {
                self.under_way.insert((name.to_string(), event.iteration), (event.at, 0));
                self.display.show(&StepEvent::Started { at: Some(at), step: name });
            }
            EventKind::TaskScheduled { name, .. } => {
                if let Some((_, attempts)) = self.under_way.get_mut(&(name.to_string(), event.iteration)) {
                    *attempts += 1;
                }
            }
            EventKind::StateExited { state_type: StateType::Task, name, .. } => {
                if let Some((entered, attempts)) = self.under_way.remove(&(name.to_string(), event.iteration)) {
                    let seconds = event.at.duration_since(entered).as_secs_f64();
                    self.display.show(&StepEvent::Ended { at, step: name, seconds, attempts });
                }
            }
            EventKind::TaskFailed { name, failure, .. } if !["NotYet", "Refused"].contains(&failure.error.as_str()) => {
                let cause = first_line(&failure.cause);
                self.display.show(&StepEvent::AttemptFailed { at, step: name, cause: &cause });
            }
            EventKind::ParallelStateFailed(failure) => {
                self.display.show(&StepEvent::PathFailed { at, cause: &first_line(&failure.cause) });
            }
            _ => {}
        }
    }

    /// Ends the display.
    pub(super) fn end(self) {
        self.display.end();
    }
}
