//! The hops of an upgrade. Appwrite changes its schema in migration classes, and an upgrade must run each class in turn.

use crate::{Refusal, Version};

/// The last version of each migration class, in rising order. The comment names the class.
///
/// Source: `Migration::$versions` in `src/Appwrite/Migration/Migration.php` of each release. `migrate` runs only the class of
/// its own version, and a class expects the schema of the class before it. A skipped class breaks the schema, often without a
/// word: 1.3.8 to 1.6.0 ends in `Table 'appwrite._1_' doesn't exist`. Classes do not follow minor versions: 1.9.0 to 1.9.5 are
/// V24, and 1.9.6 starts V25. The class V25 of 2.0 is another, larger one than that of 1.9.6.
pub const APPWRITE_HOPS: [Version; 10] = [
    Version::new(1, 3, 8),  // V18
    Version::new(1, 4, 14), // V19
    Version::new(1, 5, 11), // V20
    Version::new(1, 6, 2),  // V21
    Version::new(1, 7, 5),  // V22
    Version::new(1, 8, 1),  // V23
    Version::new(1, 9, 5),  // V24
    Version::new(1, 9, 10), // V25
    Version::new(2, 6, 2),  // V25 of 2.0 to 2.6
    Version::new(2, 7, 1),  // not known
];

/// The versions to install in turn on the path from `from` to `to`: every hop between them, then `to`. The path is empty if
/// both are equal.
///
/// A version belongs to the class of the first hop that is not below it. So the path from an early patch first reaches the
/// last version of its own class, because some patches change the migration of their class (1.6.2, 1.9.5). `known` is the hop
/// list: [`APPWRITE_HOPS`] or that of the configuration.
///
/// # Errors
/// [`Refusal::Downgrade`] if `to` is below `from`. [`Refusal::NoHopPath`] if the hop list does not cover one of them: a version
/// below the first hop, or above the last one, is covered only if it has the same minor version.
pub fn hop_path(from: Version, to: Version, known: &[Version]) -> Result<Vec<Version>, Refusal> {
    if to == from {
        return Ok(Vec::new());
    }
    if to < from {
        return Err(Refusal::Downgrade { from, to });
    }
    for end in [from, to] {
        if !covers(known, end) {
            let known = known.iter().map(Version::to_string).collect::<Vec<_>>().join(", ");
            return Err(Refusal::NoHopPath { from, to, unknown: end, known });
        }
    }
    let between = known.iter().copied().filter(|hop| from < *hop && *hop < to);
    Ok(between.chain([to]).collect())
}

/// Whether the hop list says to which class the version belongs.
fn covers(known: &[Version], version: Version) -> bool {
    let within =
        known.first().is_some_and(|first| *first <= version) && known.last().is_some_and(|last| version <= *last);
    within || known.iter().any(|hop| hop.minor() == version.minor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(from: &str, to: &str) -> Result<String, String> {
        path_by(from, to, &APPWRITE_HOPS)
    }

    fn path_by(from: &str, to: &str, known: &[Version]) -> Result<String, String> {
        hop_path(from.parse().unwrap(), to.parse().unwrap(), known)
            .map(|hops| hops.iter().map(Version::to_string).collect::<Vec<_>>().join(" "))
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_path_has_one_hop_for_each_class() {
        assert_eq!(path("1.3.8", "1.4.14").unwrap(), "1.4.14");
        assert_eq!(path("1.3.8", "1.6.2").unwrap(), "1.4.14 1.5.11 1.6.2");
        assert_eq!(path("1.3.8", "1.4.2").unwrap(), "1.4.2");
        assert_eq!(path("1.4.14", "1.4.15").unwrap(), "1.4.15");
        assert_eq!(path("1.3.8", "1.3.8").unwrap(), "");
    }

    #[test]
    fn no_path_skips_the_class_that_ends_at_1_9_5() {
        assert_eq!(path("1.8.1", "1.9.6").unwrap(), "1.9.5 1.9.6");
        assert_eq!(path("1.9.0", "1.9.6").unwrap(), "1.9.5 1.9.6");
        assert_eq!(path("1.9.5", "1.9.6").unwrap(), "1.9.6");
        assert_eq!(path("1.8.1", "1.9.0").unwrap(), "1.9.0");
        assert_eq!(path("1.8.1", "2.7.1").unwrap(), "1.9.5 1.9.10 2.6.2 2.7.1");
    }

    #[test]
    fn versions_of_2_belong_to_the_next_hop() {
        assert_eq!(path("1.9.6", "2.0.0").unwrap(), "1.9.10 2.0.0");
        assert_eq!(path("2.0.0", "2.3.0").unwrap(), "2.3.0");
        assert_eq!(path("2.2.0", "2.7.3").unwrap(), "2.6.2 2.7.1 2.7.3");
    }

    #[test]
    fn a_path_starts_with_the_last_version_of_its_own_class() {
        assert_eq!(path("1.6.0", "1.7.5").unwrap(), "1.6.2 1.7.5");
        assert_eq!(path("1.3.2", "1.4.14").unwrap(), "1.3.8 1.4.14");
    }

    #[test]
    fn an_operators_list_decides_about_versions_that_the_table_does_not_know() {
        let hops = ["1.9.5", "2.7.1", "3.0.2"].map(|hop| hop.parse().unwrap());
        assert_eq!(path_by("1.9.5", "3.0.2", &hops).unwrap(), "2.7.1 3.0.2");
        assert!(path_by("1.9.5", "3.1.0", &hops).unwrap_err().contains("3.1.0"));
    }

    #[test]
    fn downgrades_and_versions_outside_of_the_list_are_refused() {
        assert!(path("1.4.14", "1.3.8").unwrap_err().contains("downgrade"));
        assert!(path("1.3.8", "3.0.0").unwrap_err().contains("3.0.0"));
        assert!(path("1.1.0", "1.4.14").unwrap_err().contains("1.1.0"));
    }
}
