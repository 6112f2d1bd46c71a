//! What the configure document does on an instance, and what it prints.

use std::time::Duration;

use super::command::ScriptResult;

/// How long it takes to print an earlier verdict again.
pub(super) const REPEAT: Duration = Duration::from_secs(2);

/// The document's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configure {
    pub(super) version: String,
    pub(super) from: String,
    pub(super) run: String,
}

impl Configure {
    /// The hop of a run. It has one verdict.
    pub(super) fn hop(&self) -> (&str, &str) {
        (&self.run, &self.version)
    }
}

/// The output and exit code of the script. If it changed the instance, also whether the installed version is sound.
pub(super) fn run(
    configure: &Configure,
    installed: Option<&str>,
    migration_fails: bool,
) -> (ScriptResult, Option<bool>) {
    let Configure { version, from, .. } = configure;
    if installed != Some(from.as_str()) {
        let found = installed.unwrap_or("no version");
        let output = failed(version, &format!("docker-compose.yml has version {found} of Appwrite, not {from}"));
        return (ScriptResult { exit_code: 1, output }, None);
    }
    let began = began(version, from);
    if migration_fails {
        // Appwrite's migration fails this way in most versions: the exit status is 0.
        let lines = "[Error] Type: Utopia\\Database\\Exception\n[Error] Message: Collection not found\n\
            Failed to migrate project console\n";
        return (ScriptResult { exit_code: 0, output: format!("{began}{lines}") }, Some(false));
    }
    if skips_a_class(from, version) {
        let lost = "SQLSTATE[42S02]: Base table or view not found: 1146 Table 'appwrite._1_' doesn't exist";
        let output = format!("{began}{lost}\n{}", failed(version, &format!("migrate printed: {lost}")));
        return (ScriptResult { exit_code: 1, output }, Some(false));
    }
    let done = match numbers(version) {
        Some((major, minor)) if (major, minor) >= (1, 7) => "Migration completed",
        _ => "Data Migration Completed",
    };
    let output = format!("{began}Migrating documents 100%\n{done}\nfleetwright-verdict: ok version={version}\n");
    (ScriptResult { exit_code: 0, output }, Some(true))
}

fn began(version: &str, from: &str) -> String {
    format!(
        "hop from {from} to {version}\nappwrite {version} answers\nStarting Data Migration to version {version}\n\
         Migrating project console\n"
    )
}

fn failed(version: &str, reason: &str) -> String {
    format!("fleetwright-verdict: failed version={version} reason={reason}\n")
}

/// Whether the hop skips a migration class. A migration knows only the schema of the class before its own.
fn skips_a_class(from: &str, to: &str) -> bool {
    match (class(from), class(to)) {
        (Some(from), Some(to)) => to > from + 1,
        _ => false,
    }
}

/// The position of a version's migration class in Appwrite's table: a class for each minor version of 1.x, but 1.9.6 begins a
/// second class of 1.9, and 2.0 to 2.6 share one.
fn class(version: &str) -> Option<u32> {
    let patch = version.rsplit('.').next()?.parse::<u32>().ok()?;
    match numbers(version)? {
        (1, minor @ 0..=8) => Some(minor),
        (1, 9) if patch <= 5 => Some(9),
        (1, _) => Some(10),
        (2, 0..=6) => Some(11),
        (2, _) => Some(12),
        _ => None,
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, installed: &str, fails: bool) -> (i32, Option<bool>, String) {
        let configure = Configure { version: to.to_owned(), from: from.to_owned(), run: "r".to_owned() };
        let (outcome, effect) = run(&configure, Some(installed), fails);
        (outcome.exit_code, effect, outcome.output.lines().last().unwrap().to_owned())
    }

    #[test]
    fn a_successful_hop_ends_with_its_verdict() {
        let verdict = "fleetwright-verdict: ok version=1.4.14".to_owned();
        assert_eq!(check("1.3.8", "1.4.14", "1.3.8", false), (0, Some(true), verdict));
        let configure = Configure { version: "1.7.5".into(), from: "1.6.2".into(), run: "r".into() };
        assert!(run(&configure, Some("1.6.2"), false).0.output.contains("\nMigration completed\n"));
    }

    #[test]
    fn a_failed_migration_exits_with_zero_and_without_a_verdict() {
        let last = "Failed to migrate project console".to_owned();
        assert_eq!(check("1.3.8", "1.4.14", "1.3.8", true), (0, Some(false), last));
    }

    #[test]
    fn a_skipped_migration_class_fails_and_a_wrong_start_version_changes_nothing() {
        assert_eq!(check("1.3.8", "1.6.2", "1.3.8", false).1, Some(false));
        assert_eq!(check("1.8.1", "1.9.6", "1.8.1", false).1, Some(false), "1.9.5 ends a class of its own");
        assert_eq!(check("1.9.5", "1.9.6", "1.9.5", false).1, Some(true));
        assert_eq!(check("1.9.6", "2.6.2", "1.9.6", false).1, Some(true));
        let (exit_code, effect, last) = check("1.4.14", "1.5.11", "1.3.8", false);
        assert_eq!((exit_code, effect), (1, None));
        assert!(last.ends_with("docker-compose.yml has version 1.3.8 of Appwrite, not 1.4.14"));
    }
}
