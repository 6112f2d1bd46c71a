//! Hands the command line and the process's streams to the command, and nothing else.

use clap::Parser;
use fleetwright::{Streams, cli::Command};
use std::io::{stderr, stdout};
use std::process::ExitCode;

/// A fifth of what a rehearsal costs is malloc's in glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Command::parse();
    let terminal = console::user_attended_stderr();
    command.run(&mut Streams { out: &mut stdout(), err: &mut stderr(), terminal }).into()
}
