//! Runs the command in this process, as `main` does.

use clap::Parser;
use fleetwright::{Exit, Streams, cli::Command};

/// What a command line came to.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Runs a command line, without the program's name; words are separated by single spaces.
pub fn run(line: &str) -> Ran {
    let command = Command::try_parse_from(["fleetwright"].into_iter().chain(line.split(' '))).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = command.run(&mut Streams { out: &mut out, err: &mut err, terminal: false });
    Ran { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Runs a rehearsal of an upgrade of the sample fleet, or of another configuration if the line names one.
pub fn rehearse(line: &str) -> Ran {
    let sample = crate::emulators::file("samplconfig.toml");
    let config = if line.contains("--config") { String::new() } else { format!(" --config {}", sample.display()) };
    run(&format!("rehearse upgrade {line}{config}"))
}
