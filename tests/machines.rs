//! Tests that boot machines with systemd and Docker. A computer that lacks a requirement skips them: the summary counts them
//! as ignored, and a line names the first missing requirement.

#![cfg(test)]

#[path = "configure/hop.rs"]
mod hop;
#[path = "machines/hops.rs"]
mod hops;
#[path = "machines/host.rs"]
mod host;
#[path = "machines/requirements.rs"]
mod requirements;
mod scratch;
mod until;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = requirements::missing();
    if let Some(missing) = missing.as_ref().filter(|_| !arguments.list) {
        eprintln!("SKIPPED all tests of machines: {missing}");
    }
    let trials = hops::TESTS.iter().map(|(name, test)| {
        let run = || {
            test();
            Ok(())
        };
        Trial::test(format!("machines::{name}"), run).with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
