//! Shows the steps as they go: a bar on a terminal, plain lines elsewhere. All of it on standard error.

use crate::Streams;
use crate::length::clock;
use asl::{Event, EventKind, StateType};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A display of an execution's events.
pub(crate) struct Progress<'p, 's> {
    streams: &'p mut Streams<'s>,
    bar: Option<ProgressBar>,
    started: Option<Timestamp>,
    entered: BTreeMap<(String, Option<u64>), (Timestamp, u32)>,
}

impl<'p, 's> Progress<'p, 's> {
    /// A display of an execution that is expected to go through `tasks` steps.
    pub(crate) fn new(tasks: u64, streams: &'p mut Streams<'s>) -> Self {
        let bar = streams.terminal.then(|| {
            let style = ProgressStyle::with_template("{bar:24} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(tasks), ProgressDrawTarget::stderr());
            bar.set_style(style);
            bar
        });
        Self { streams, bar, started: None, entered: BTreeMap::new() }
    }

    /// Shows one event.
    pub(crate) fn see(&mut self, event: &Event) {
        let started = *self.started.get_or_insert(event.at);
        match &event.kind {
            EventKind::StateEntered { state_type: StateType::Task, name, .. } => {
                self.entered.insert((name.to_string(), event.iteration), (event.at, 0));
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{} {name}", since(started, event.at)));
                }
            }
            EventKind::TaskScheduled { name, .. } => {
                if let Some((_, attempts)) = self.entered.get_mut(&(name.to_string(), event.iteration)) {
                    *attempts += 1;
                }
            }
            EventKind::StateExited { state_type: StateType::Task, name, .. } => self.step_ended(started, event, name),
            EventKind::TaskFailed { name, failure, .. } if !["NotYet", "Refused"].contains(&failure.error.as_str()) => {
                self.line(&format!("{} {name}: {}", since(started, event.at), first_line(&failure.cause)));
            }
            EventKind::ParallelStateFailed(failure) => {
                self.line(&format!("{} gave up: {}", since(started, event.at), first_line(&failure.cause)));
            }
            _ => {}
        }
    }

    fn step_ended(&mut self, started: Timestamp, event: &Event, name: &str) {
        let Some((entered, attempts)) = self.entered.remove(&(name.to_owned(), event.iteration)) else { return };
        let seconds = event.at.duration_since(entered).as_secs_f64();
        self.line(&format!("{} {name} ({seconds:.0}s, asked {attempts} times)", since(started, event.at)));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.streams.talk(text),
        }
    }

    /// Ends the display.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn since(started: Timestamp, at: Timestamp) -> String {
    clock(at.duration_since(started).as_secs())
}

/// The message of an error, as Lambda wraps it or bare.
pub(crate) fn first_line(cause: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(cause).ok();
    let message = parsed.as_ref().and_then(|error| error["errorMessage"].as_str()).unwrap_or(cause);
    message.lines().next().unwrap_or_default().to_owned()
}
