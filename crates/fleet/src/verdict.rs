//! Judges from its output whether a hop was installed and migrated.
//!
//! The exit status of `migrate` is not reliable: in most versions, a failed migration exits with 0. The script on the builder
//! therefore judges the output and prints a verdict line last. This module judges the output and the line again, because the
//! line could come from another run of the script.

use crate::Version;

/// The verdict on a hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The hop is installed and migrated.
    Migrated,
    /// The hop failed, for this reason.
    Failed(String),
}

/// The start of the verdict line, which `configure.sh` prints last.
const VERDICT: &str = "fleetwright-verdict: ";

/// Texts that a failed `migrate` prints, depending on its version.
const FAILURES: [&str; 7] = [
    "Failed to update project",
    "Failed to migrate project",
    "Failed to update document",
    "Fatal error:",
    "SQLSTATE[",
    "Collection not found",
    "No migration found",
];

/// Judges the tail of a hop's output. The hop is migrated if the verdict line says so for `hop`, and no line reports a failure.
pub fn judge(hop: Version, output: &str) -> Verdict {
    let fails = |line: &&str| line.starts_with("[Error]") || FAILURES.iter().any(|failure| line.contains(failure));
    if let Some(line) = output.lines().find(fails) {
        return Verdict::Failed(line.trim().to_owned());
    }
    match output.lines().rev().find_map(|line| line.trim().strip_prefix(VERDICT)) {
        Some(verdict) if verdict == format!("ok version={hop}") => Verdict::Migrated,
        Some(verdict) => Verdict::Failed(format!("the verdict was '{verdict}'")),
        None => Verdict::Failed("the output has no verdict line".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP: Version = Version::new(1, 4, 14);

    #[test]
    fn a_hop_is_migrated_only_if_the_verdict_line_names_it() {
        assert_eq!(judge(HOP, "Data Migration Completed\nfleetwright-verdict: ok version=1.4.14\n"), Verdict::Migrated);
        assert!(matches!(judge(HOP, "Data Migration Completed\n"), Verdict::Failed(_)));
        assert!(matches!(judge(HOP, "fleetwright-verdict: ok version=1.5.11\n"), Verdict::Failed(_)));
        assert!(matches!(judge(HOP, "fleetwright-verdict: failed version=1.4.14\n"), Verdict::Failed(_)));
    }

    #[test]
    fn an_error_in_the_output_overrides_the_verdict_line() {
        for failure in FAILURES.into_iter().chain(["[Error]"]) {
            let output = format!("{failure} x\nfleetwright-verdict: ok version=1.4.14\n");
            assert_eq!(judge(HOP, &output), Verdict::Failed(format!("{failure} x")));
        }
    }
}
