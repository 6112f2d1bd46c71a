//! Appwrite's versions, `X.Y.Z`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A released version of the application, ordered as releases are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    major: u16,
    minor: u16,
    patch: u16,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a version: expected three numbers, such as 1.4.14")]
pub struct InvalidVersion(String);

impl Version {
    /// A version from its three numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// The release line, `(1, 4)` of `1.4.14`.
    pub fn minor(self) -> (u16, u16) {
        (self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let number = |part: &str| {
            let plain =
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            plain.then(|| part.parse().ok()).flatten()
        };
        let mut numbers = text.split('.').map(number);
        match [numbers.next(), numbers.next(), numbers.next(), numbers.next()] {
            [Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None] => Ok(Self { major, minor, patch }),
            _ => Err(InvalidVersion(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;
    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_plain_numbers_are_a_version() {
        assert_eq!("1.4.14".parse(), Ok(Version::new(1, 4, 14)));
        for wrong in ["", "1.4", "1.4.14.1", "v1.4.14", "1.04.1", "1.4.-1", "1.4.x", "1.4.99999", " 1.4.1"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(Version::new(1, 4, 14) > Version::new(1, 4, 2));
        assert!(Version::new(1, 10, 0) > Version::new(1, 9, 6));
    }
}
