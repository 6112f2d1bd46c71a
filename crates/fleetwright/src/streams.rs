//! Where the command writes: data to standard output, messages to standard error.

use crate::output::Output;
use serde::Serialize;
use std::io::Write;

/// The command's two streams.
pub struct Streams<'a> {
    /// Takes the command's data.
    pub out: &'a mut dyn Write,
    /// Takes progress, notices and errors.
    pub err: &'a mut dyn Write,
    /// Whether `err` is a terminal, where a bar can be drawn.
    pub terminal: bool,
}

impl Streams<'_> {
    /// Writes a line of data. A closed pipe is not an error.
    pub(crate) fn data(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Writes a line for the operator. A closed pipe is not an error.
    pub(crate) fn talk(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Writes a result as text or as JSON.
    ///
    /// # Errors
    /// The result has no JSON; standard error then says why.
    pub(crate) fn show<T: Serialize>(
        &mut self,
        output: Output,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), serde_json::Error> {
        match output {
            Output::Text => self.data(text(result).trim_end()),
            Output::Json => match serde_json::to_string_pretty(result) {
                Ok(json) => self.data(json),
                Err(error) => {
                    self.talk(format!("error: {error}"));
                    return Err(error);
                }
            },
        }
        Ok(())
    }
}
