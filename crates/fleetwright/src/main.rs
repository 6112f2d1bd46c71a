//! The program: parses the command line and runs the command on the process's standard output and standard error.

use clap::Parser;
use fleetwright::{Streams, cli::Command};
use std::io::{stderr, stdout};
use std::process::ExitCode;

/// With glibc's allocator, a fifth of a rehearsal's CPU time goes to `malloc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Command::parse();
    let terminal = console::user_attended_stderr();
    command.run(&mut Streams { out: &mut stdout(), err: &mut stderr(), terminal }).into()
}
