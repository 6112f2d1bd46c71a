//! The fleet's time zone, by its name in the IANA time zone database.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A time zone in the IANA database of this release, such as `Europe/Berlin`.
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

    /// The name of the zone.
    pub fn name(&self) -> &str {
        // Every zone was found by its name, or is UTC.
        self.0.iana_name().unwrap_or("UTC")
    }
}

/// A text that is not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time zone: expected a name of the IANA database, such as 'Europe/Berlin' or 'UTC'")]
pub struct InvalidTimeZone(String);

impl FromStr for LocalZone {
    type Err = InvalidTimeZone;

    fn from_str(text: &str) -> Result<Self, InvalidTimeZone> {
        TimeZone::get(text).map(Self).map_err(|_| InvalidTimeZone(text.to_owned()))
    }
}

impl TryFrom<String> for LocalZone {
    type Error = InvalidTimeZone;

    fn try_from(text: String) -> Result<Self, InvalidTimeZone> {
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
