//! `rehearse ... --faults all`: runs the fault search, shows its progress, and prints the matrix.

use super::FaultSearch;
use crate::display::SearchDisplay;
use crate::rehearse::{RehearsalArgs, RehearsalSpec, SAMPLE};
use crate::{Exit, Streams};
use std::path::Path;

/// Searches for faults that violate an invariant. The exit status is 1 if there is one.
pub(in super::super) fn run(args: &RehearsalArgs, spec: &RehearsalSpec, streams: &mut Streams<'_>) -> Exit {
    let search = FaultSearch::new(spec, args.seeds).with_options(&options(args));
    let mut display = SearchDisplay::new(streams);
    let matrix = search.run(&mut |event| display.show(&event));
    display.end();
    let matrix = match matrix {
        Ok(matrix) => matrix,
        Err(error) => {
            streams.talk(format!("error: {error}"));
            return Exit::Error;
        }
    };
    let shown = streams.show(args.output, &matrix, super::Matrix::render);
    if shown.is_ok() && matrix.violations.is_empty() { Exit::Done } else { Exit::Error }
}

/// The options that a reader needs to repeat a rehearsal of this search.
fn options(args: &RehearsalArgs) -> String {
    let mut options = String::new();
    if args.config != Path::new(SAMPLE) {
        options.push_str(&format!(" --config {}", quoted(&args.config.display().to_string())));
    }
    if let Some(size) = args.size {
        options.push_str(&format!(" --size {size}"));
    }
    options
}

/// A word quoted for the shell, if it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
