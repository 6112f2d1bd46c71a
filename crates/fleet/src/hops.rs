//! The hops of an upgrade: Appwrite migrates from one minor version to the next, and cannot skip one.

use crate::{Refusal, Version};

/// The last patch of each minor version, in order.
///
/// Source: the community's hop list for self-hosted Appwrite. `migrate` runs only the migration of its target version, so a
/// skipped hop leaves the schema broken (`Table 'appwrite._1_' doesn't exist`).
pub const APPWRITE_HOPS: [Version; 7] = [
    Version::new(1, 3, 8),
    Version::new(1, 4, 14),
    Version::new(1, 5, 11),
    Version::new(1, 6, 2),
    Version::new(1, 7, 5),
    Version::new(1, 8, 1),
    Version::new(1, 9, 6),
];

/// The versions to install in turn on the path from `from` to `to`. The path is empty if both are equal.
///
/// The last patch of `from`'s own minor version comes first, because some patches (1.6.2, 1.9.5) have a migration of their
/// own. `known` is the hop list: [`APPWRITE_HOPS`] or that of the configuration.
///
/// # Errors
/// [`Refusal::Downgrade`] if `to` is below `from`. [`Refusal::NoHopPath`] if the hop list lacks the minor version of either.
pub fn hop_path(from: Version, to: Version, known: &[Version]) -> Result<Vec<Version>, Refusal> {
    if to == from {
        return Ok(Vec::new());
    }
    if to < from {
        return Err(Refusal::Downgrade { from, to });
    }
    for end in [from, to] {
        if !known.iter().any(|hop| hop.minor() == end.minor()) {
            let known = known.iter().map(Version::to_string).collect::<Vec<_>>().join(", ");
            return Err(Refusal::NoHopPath { from, to, unknown: end, known });
        }
    }
    let between = known.iter().copied().filter(|hop| *hop > from && hop.minor() < to.minor());
    Ok(between.chain([to]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(from: &str, to: &str) -> Result<String, String> {
        hop_path(from.parse().unwrap(), to.parse().unwrap(), &APPWRITE_HOPS)
            .map(|hops| hops.iter().map(Version::to_string).collect::<Vec<_>>().join(" "))
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_path_has_one_hop_for_each_minor_version() {
        assert_eq!(path("1.3.8", "1.4.14").unwrap(), "1.4.14");
        assert_eq!(path("1.3.8", "1.6.2").unwrap(), "1.4.14 1.5.11 1.6.2");
        assert_eq!(path("1.3.8", "1.4.2").unwrap(), "1.4.2");
        assert_eq!(path("1.4.14", "1.4.15").unwrap(), "1.4.15");
        assert_eq!(path("1.3.8", "1.3.8").unwrap(), "");
    }

    #[test]
    fn a_path_starts_with_the_last_patch_of_its_own_minor_version() {
        assert_eq!(path("1.6.0", "1.7.5").unwrap(), "1.6.2 1.7.5");
    }

    #[test]
    fn downgrades_and_unknown_minor_versions_are_refused() {
        assert!(path("1.4.14", "1.3.8").unwrap_err().contains("downgrade"));
        assert!(path("1.3.8", "3.0.0").unwrap_err().contains("3.0.0"));
        assert!(path("1.1.0", "1.4.14").unwrap_err().contains("1.1.0"));
    }
}
