//! Deadlines: every wait has one, and says what it waits for and until when.

use crate::Span;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The state that a step runs in: `$$.State` of the context object. Its entry is what deadlines count from, since it
/// stays the same however often the step is asked again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StateContext {
    /// The state's name in the definition.
    pub name: String,
    /// When the state was entered.
    pub entered_time: Timestamp,
    /// How often it was tried before.
    pub retry_count: u32,
}

/// The end of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// The deadline of a wait of at most `limit` that began at `start`.
    pub fn after(start: Timestamp, limit: Span) -> Self {
        Self(start.saturating_add(SignedDuration::from(limit)).unwrap_or(Timestamp::MAX))
    }

    /// Whether it has passed.
    pub fn passed(self, now: Timestamp) -> bool {
        now >= self.0
    }
}

impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}
