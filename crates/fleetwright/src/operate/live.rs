//! Shows a running run on standard error: one line for each step, and on a terminal what the run waits for.

use crate::Streams;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The display of a run that the deployed stack executes.
pub(super) struct Live<'l, 's> {
    streams: &'l mut Streams<'s>,
    spinner: Option<ProgressBar>,
    said: String,
}

impl<'l, 's> Live<'l, 's> {
    pub(super) fn new(streams: &'l mut Streams<'s>) -> Self {
        let spinner = streams.terminal.then(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner
        });
        Self { streams, spinner, said: String::new() }
    }

    /// Whether [`Live::now`] shows anything.
    pub(super) fn is_animated(&self) -> bool {
        self.spinner.is_some()
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.println(text),
            None => self.streams.talk(text),
        }
    }

    /// Shows what is going on now. On a terminal only, and not kept.
    pub(super) fn now(&self, text: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(text.to_owned());
            spinner.tick();
        }
    }

    /// Prints a line unless it is the last one that this printed.
    pub(super) fn once(&mut self, text: &str) {
        if self.said != text {
            self.line(text);
            text.clone_into(&mut self.said);
        }
    }

    pub(super) fn end(self) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
    }
}
