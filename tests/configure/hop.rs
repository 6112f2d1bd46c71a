//! One call of the builder's script and its result.

use fleet::{Verdict, Version, judge};
use std::process::Output;

/// The result of one call of the script.
#[derive(Debug, PartialEq)]
pub(super) struct Hop {
    pub(super) exit_status: Option<i32>,
    pub(super) output: String,
}

impl Hop {
    pub(super) fn of(output: Output) -> Self {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        Self { exit_status: output.status.code(), output: String::from_utf8(output.stdout).unwrap() }
    }

    pub(super) fn verdict(&self) -> &str {
        self.output.lines().last().unwrap_or_default()
    }

    /// Asserts that the hop succeeded, and that `fleet` reads a success in its output.
    pub(super) fn assert_ok(&self, version: &str) {
        assert_eq!(self.verdict(), format!("fleetwright-verdict: ok version={version}"), "{}", self.output);
        assert_eq!(self.exit_status, Some(0));
        assert_eq!(judge(version.parse().unwrap(), &self.output), Verdict::Migrated);
    }

    /// Asserts that the hop failed with this reason, and that `fleet` reads a failure in its output.
    pub(super) fn assert_failed(&self, version: &str, reason: &str) {
        let begin = format!("fleetwright-verdict: failed version={version} reason=");
        assert!(self.verdict().starts_with(&begin) && self.verdict().contains(reason), "{}", self.output);
        assert_eq!(self.exit_status, Some(1));
        let version: Version = version.parse().unwrap();
        assert!(matches!(judge(version, &self.output), Verdict::Failed(_)));
        assert!(self.output.len() < 20_000, "Run Command would cut it off");
    }
}
