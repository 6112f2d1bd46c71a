//! Reads the command line and the environment, and nothing else.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    fleetwright::cli::Command::parse().run().into()
}
