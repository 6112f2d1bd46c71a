//! The fleet's time zone, by its name in the IANA database.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A time zone of the IANA database that this release carries, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalZone(TimeZone);

impl Default for LocalZone {
    fn default() -> Self {
        Self::UTC
    }
}

impl LocalZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The rules of the zone.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// Its name.
    pub fn name(&self) -> &str {
        // Every zone here was found by its name, or is UTC.
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for LocalZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        TimeZone::get(text).map(Self).map_err(|_| {
            format!(
                "'{text}' is not a time zone: expected a name of the IANA database, such as 'Europe/Berlin' or 'UTC'"
            )
        })
    }
}

impl TryFrom<String> for LocalZone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LocalZone> for String {
    fn from(zone: LocalZone) -> String {
        zone.name().to_owned()
    }
}

impl std::fmt::Display for LocalZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
