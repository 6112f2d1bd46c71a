//! Whether one hop's installation and migration went well, judged by what it printed.
//!
//! The exit status of `migrate` lies: a failed one exits 0 in most versions. So the script on the builder judges the
//! output and prints one verdict line last, and this judges both again, since the line could come from another run of it.

use crate::Version;

/// What the output of a hop says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The hop is installed and migrated.
    Migrated,
    /// It is not, and this line says why.
    Failed(String),
}

/// What starts the verdict line that `configure.sh` prints last.
const VERDICT: &str = "fleetwright-verdict: ";

/// What a failed `migrate` prints in one version or another.
const FAILURES: [&str; 7] = [
    "Failed to update project",
    "Failed to migrate project",
    "Failed to update document",
    "Fatal error:",
    "SQLSTATE[",
    "Collection not found",
    "No migration found",
];

/// Judges the tail of a hop's output: it went well if the verdict line says so for `hop` and nothing says otherwise.
pub fn judge(hop: Version, output: &str) -> Verdict {
    let fails = |line: &&str| line.starts_with("[Error]") || FAILURES.iter().any(|failure| line.contains(failure));
    if let Some(line) = output.lines().find(fails) {
        return Verdict::Failed(line.trim().to_owned());
    }
    match output.lines().rev().find_map(|line| line.trim().strip_prefix(VERDICT)) {
        Some(verdict) if verdict == format!("ok version={hop}") => Verdict::Migrated,
        Some(verdict) => Verdict::Failed(format!("the verdict was '{verdict}'")),
        None => Verdict::Failed("it printed no verdict line".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP: Version = Version::new(1, 4, 14);

    #[test]
    fn a_migration_went_well_only_if_its_verdict_says_so_for_this_hop() {
        assert_eq!(judge(HOP, "Data Migration Completed\nfleetwright-verdict: ok version=1.4.14\n"), Verdict::Migrated);
        assert!(matches!(judge(HOP, "Data Migration Completed\n"), Verdict::Failed(_)));
        assert!(matches!(judge(HOP, "fleetwright-verdict: ok version=1.5.11\n"), Verdict::Failed(_)));
        assert!(matches!(judge(HOP, "fleetwright-verdict: failed version=1.4.14\n"), Verdict::Failed(_)));
    }

    #[test]
    fn an_error_in_the_output_outweighs_the_verdict_line() {
        for failure in FAILURES.into_iter().chain(["[Error]"]) {
            let output = format!("{failure} x\nfleetwright-verdict: ok version=1.4.14\n");
            assert_eq!(judge(HOP, &output), Verdict::Failed(format!("{failure} x")));
        }
    }
}
