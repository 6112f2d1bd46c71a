//! A length of time in whole seconds, written `90s`, `5m` or `1h 30m`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A length of time of whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(u32);

impl Span {
    /// A span in seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// A span in minutes.
    pub const fn minutes(minutes: u32) -> Self {
        Self(minutes * 60)
    }

    /// The span in seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl std::ops::Add for Span {
    type Output = Self;

    /// The sum, which saturates at 2³² − 1 seconds.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        Duration::from_secs(span.0.into())
    }
}

impl From<Span> for SignedDuration {
    fn from(span: Span) -> SignedDuration {
        SignedDuration::from_secs(span.0.into())
    }
}

/// A text that is not a length of time in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a length of time: expected whole seconds such as '90s', '5m' or '1h 30m'")]
pub struct InvalidSpan(String);

impl TryFrom<String> for Span {
    type Error = InvalidSpan;

    fn try_from(text: String) -> Result<Self, InvalidSpan> {
        let whole = text.parse().ok().filter(|duration: &SignedDuration| duration.subsec_nanos() == 0);
        let seconds = whole.and_then(|duration| u32::try_from(duration.as_secs()).ok());
        seconds.map(Self).ok_or(InvalidSpan(text))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        let parts = [(hours, "h"), (minutes, "m"), (seconds, "s")];
        let shown: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
        f.write_str(if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_span_reads_as_the_same_span() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h 30m", 5400), ("0s", 0)] {
            let span = Span::try_from(text.to_owned()).unwrap();
            assert_eq!(span.as_secs(), seconds);
            assert_eq!(Span::try_from(span.to_string()).unwrap(), span);
        }
        for wrong in ["", "5", "-5m", "0.5s", "soon"] {
            assert!(Span::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
