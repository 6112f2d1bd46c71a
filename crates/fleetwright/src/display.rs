//! What an operator sees of long work, on standard error: one stream of events, shown as a bar or a spinner on a terminal and
//! as lines elsewhere.

mod search;

pub(crate) use search::SearchDisplay;
pub use search::SearchEvent;

use crate::Streams;
use crate::length::clock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Something that happens in a run, whether it is rehearsed or deployed. `at` counts seconds since the run began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StepEvent<'e> {
    /// A step began, or is still under way. Shown only on a terminal. `at` is not known of a deployed run's step.
    Started { at: Option<i64>, step: &'e str },
    /// A step succeeded after `seconds` and this many attempts.
    Ended { at: i64, step: &'e str, seconds: f64, attempts: u32 },
    /// One attempt of a step failed; the state machine decides whether it retries.
    AttemptFailed { at: i64, step: &'e str, cause: &'e str },
    /// A step failed for good.
    Failed { at: i64, step: &'e str, cause: &'e str },
    /// A path of the state machine failed. Its rollback path, or a freeze, follows.
    PathFailed { at: i64, cause: &'e str },
    /// The run, or the watching of it, needs an operator's attention. Shown once for as long as the text stays the same.
    Notice(&'e str),
}

impl StepEvent<'_> {
    /// The event's line, if it has one.
    fn line(&self) -> Option<String> {
        match *self {
            Self::Started { .. } => None,
            Self::Ended { at, step, seconds, attempts } => {
                let polled = if attempts == 1 { String::new() } else { format!(", polled {attempts} times") };
                Some(format!("{} {step} ({seconds:.0}s{polled})", clock(at)))
            }
            Self::AttemptFailed { at, step, cause } => Some(format!("{} {step}: {cause}", clock(at))),
            Self::Failed { at, step, cause } => Some(format!("{} {step} FAILED: {cause}", clock(at))),
            Self::PathFailed { at, cause } => Some(format!("{} path failed: {cause}", clock(at))),
            Self::Notice(text) => Some(text.to_owned()),
        }
    }
}

/// Shows the steps of one run.
pub(crate) struct StepDisplay<'d, 's> {
    streams: &'d mut Streams<'s>,
    bar: Option<ProgressBar>,
    last_notice: String,
}

impl<'d, 's> StepDisplay<'d, 's> {
    /// A display of a run that is expected to enter this many steps. Without a number, a terminal has a spinner instead of
    /// a bar.
    pub(crate) fn new(steps: Option<u64>, streams: &'d mut Streams<'s>) -> Self {
        let template = if steps.is_some() { "{bar:24} {pos}/{len} {msg}" } else { "{spinner} {wide_msg}" };
        Self { bar: bar(steps, template, streams), streams, last_notice: String::new() }
    }

    /// Whether the display shows steps that are under way.
    pub(crate) fn is_animated(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &StepEvent<'_>) {
        if let StepEvent::Notice(text) = event {
            if self.last_notice == *text {
                return;
            }
            (*text).clone_into(&mut self.last_notice);
        }
        match (&self.bar, event.line()) {
            (Some(bar), Some(line)) => bar.println(line),
            (None, Some(line)) => self.streams.talk(line),
            (_, None) => {}
        }
        let Some(bar) = &self.bar else { return };
        match event {
            StepEvent::Started { at, step } => {
                bar.set_message(at.map_or_else(|| (*step).to_owned(), |at| format!("{} {step}", clock(at))));
                bar.tick();
            }
            StepEvent::Ended { .. } if bar.length().is_some() => {
                // A rollback enters more steps than the run was expected to.
                let position = bar.position() + 1;
                bar.set_length(bar.length().unwrap_or_default().max(position));
                bar.set_position(position);
            }
            _ => {}
        }
    }

    /// Ends the display and removes the bar.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar, or without a length a spinner. None if standard error is not a terminal.
fn bar(length: Option<u64>, template: &str, streams: &Streams<'_>) -> Option<ProgressBar> {
    streams.terminal.then(|| {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        bar.set_style(style(template));
        bar
    })
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_each_event_is_a_line_and_a_notice_appears_once() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, terminal: false };
        let mut display = StepDisplay::new(Some(2), &mut streams);
        let events = [
            StepEvent::Started { at: Some(0), step: "Begin" },
            StepEvent::Ended { at: 1, step: "Begin", seconds: 0.6, attempts: 1 },
            StepEvent::Notice("run-1 waits for an approval"),
            StepEvent::Notice("run-1 waits for an approval"),
            StepEvent::Ended { at: 3661, step: "Bake", seconds: 300.0, attempts: 42 },
            StepEvent::AttemptFailed { at: 3662, step: "Commit", cause: "throttled" },
            StepEvent::Failed { at: 3663, step: "Commit", cause: "unhealthy" },
            StepEvent::PathFailed { at: 3663, cause: "unhealthy" },
        ];
        events.iter().for_each(|event| display.show(event));
        display.end();
        let lines = [
            "00:00:01 Begin (1s)",
            "run-1 waits for an approval",
            "01:01:01 Bake (300s, polled 42 times)",
            "01:01:02 Commit: throttled",
            "01:01:03 Commit FAILED: unhealthy",
            "01:01:03 path failed: unhealthy",
        ];
        assert_eq!(String::from_utf8(err).unwrap().lines().collect::<Vec<_>>(), lines);
        assert!(out.is_empty());
    }
}
