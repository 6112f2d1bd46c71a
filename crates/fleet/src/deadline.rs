//! Deadlines: each wait of a step has one.

use crate::Span;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The state that invokes a step: `$$.State` of the Step Functions context object. Deadlines count from the time at which
/// the state was entered, because that time stays the same in all attempts of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StateContext {
    /// The state's name in the definition.
    pub name: String,
    /// When the state was entered.
    pub entered_time: Timestamp,
    /// The number of attempts before this one.
    pub retry_count: u32,
}

/// The time at which a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// The deadline of a wait of at most `limit` that began at `start`.
    pub fn after(start: Timestamp, limit: Span) -> Self {
        Self(start.saturating_add(SignedDuration::from(limit)).unwrap_or(Timestamp::MAX))
    }

    /// Whether the deadline is at or before `now`.
    pub fn passed(self, now: Timestamp) -> bool {
        now >= self.0
    }
}

impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}
