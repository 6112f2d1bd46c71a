//! Shows the result of one rehearsal: the report page, then text or JSON.

use super::{Ending, RehearsalArgs, RehearsalSpec, Rehearsed, page, text};
use crate::{Exit, Streams};

/// Writes the report page if the command line names a file, prints the result, and gives the exit status.
pub(super) fn show(
    rehearsed: &Rehearsed,
    spec: &RehearsalSpec,
    args: &RehearsalArgs,
    streams: &mut Streams<'_>,
) -> Exit {
    if let Some(reason) = rehearsed.reason.as_ref().filter(|_| rehearsed.outcome == Ending::Refused) {
        // A reason such as `fleet.size: ...` names a setting, so the line also names the file that has it.
        let names_a_setting = reason.split(':').next().is_some_and(|field| field.contains('.'));
        let file = if names_a_setting { format!("{}: ", args.config.display()) } else { String::new() };
        streams.talk(format!("refused: {file}{reason}"));
    }
    if let Some(file) = &args.report {
        let page = page::page(rehearsed, spec.config.rehearsal.requests_per_second);
        if let Err(error) = std::fs::write(file, page) {
            streams.talk(format!("error: {}: {error}", file.display()));
            return Exit::Error;
        }
    }
    if streams.show(args.output, rehearsed, text::render).is_err() { Exit::Error } else { rehearsed.exit() }
}
