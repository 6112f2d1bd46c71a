//! Where the command writes: data to one stream, talk to the other.

use std::io::Write;

/// The command's two streams.
pub struct Streams<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Talk: progress, errors.
    pub err: &'a mut dyn Write,
    /// Whether the talk goes to a terminal, where a bar can be drawn.
    pub terminal: bool,
}

impl Streams<'_> {
    /// Writes data. A reader that went away needs none.
    pub(crate) fn data(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Writes talk. A reader that went away needs none.
    pub(crate) fn talk(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.err, "{text}");
    }
}
