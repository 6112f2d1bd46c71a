//! Decides whether a run of a given length may start now. Upgrades must end inside a window. Scaling runs and reverts ignore
//! windows.

use super::local_zone::LocalZone;
use super::window::Window;
use crate::Span;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far ahead the search for an opening goes. A window opens every week, unless the clock skips it, which happens at most
/// once a year.
const AHEAD: SignedDuration = SignedDuration::from_hours(15 * 24);

/// The windows in which upgrades may run. Without windows, an upgrade may run at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Windows(Vec<Window>);

/// Why a run may not start now, and when it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// No window is open.
    #[error("no window is open at {at}: the next window that a run of {length} fits into opens at {next}")]
    Closed {
        /// The time at which the run would start.
        at: Timestamp,
        /// The expected length of the run.
        length: Span,
        /// The next time at which the run may start.
        next: Timestamp,
    },
    /// The open window closes before the run would end.
    #[error(
        "a run of {length} from {at} would end after its window closes at {closes}: the next window that it fits into opens at {next}"
    )]
    TooLate {
        /// The time at which the run would start.
        at: Timestamp,
        /// The expected length of the run.
        length: Span,
        /// The time at which the window closes.
        closes: Timestamp,
        /// The next time at which the run may start.
        next: Timestamp,
    },
    /// No window is long enough.
    #[error("a run of {length} fits into no window: the longest is open for {longest}; lengthen a window")]
    NeverFits {
        /// The expected length of the run.
        length: Span,
        /// The length of the longest window.
        longest: Span,
    },
}

impl NotPermitted {
    /// The next time at which the run may start. `None` if it fits into no window.
    pub fn next(self) -> Option<Timestamp> {
        match self {
            Self::Closed { next, .. } | Self::TooLate { next, .. } => Some(next),
            Self::NeverFits { .. } => None,
        }
    }
}

impl Windows {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The opening of each window as an EventBridge Scheduler expression, with its time zone.
    pub fn crons(&self) -> impl Iterator<Item = (String, &LocalZone)> {
        self.0.iter().map(|window| (window.cron(), window.zone()))
    }

    /// Checks that a run of this `length` that starts at `at` ends inside a window, at the latest when the window closes. Windows
    /// that overlap or touch count as one.
    ///
    /// # Errors
    /// [`NotPermitted`], with the next possible start.
    pub fn permits(&self, at: Timestamp, length: Span) -> Result<(), NotPermitted> {
        if self.0.is_empty() {
            return Ok(());
        }
        let runs = SignedDuration::from(length);
        let fits = |(opens, closes): &(Timestamp, Timestamp)| closes.duration_since(*opens) >= runs;
        let openings = self.openings(at, later(later(at, AHEAD), runs));
        let open = openings.iter().find(|(opens, closes)| *opens <= at && at < *closes);
        if open.is_some_and(|(_, closes)| fits(&(at, *closes))) {
            return Ok(());
        }
        let next = openings.iter().find(|opening| opening.0 > at && fits(opening));
        match (open, next) {
            (None, Some(&(next, _))) => Err(NotPermitted::Closed { at, length, next }),
            (Some(&(_, closes)), Some(&(next, _))) => Err(NotPermitted::TooLate { at, length, closes, next }),
            (_, None) => {
                let longest = openings.iter().map(|(opens, closes)| closes.duration_since(*opens).as_secs()).max();
                // A window is open for days at most, so the seconds fit.
                let longest = Span::seconds(u32::try_from(longest.unwrap_or(0)).unwrap_or(u32::MAX));
                Err(NotPermitted::NeverFits { length, longest })
            }
        }
    }

    /// The openings of all windows, in order. Those that overlap or touch are merged.
    fn openings(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut all: Vec<_> = self.0.iter().flat_map(|window| window.openings(from, until)).collect();
        all.sort_unstable();
        let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (opens, closes) in all {
            match joined.last_mut().filter(|last| opens <= last.1) {
                Some(last) => last.1 = last.1.max(closes),
                None => joined.push((opens, closes)),
            }
        }
        joined
    }
}

impl From<Vec<Window>> for Windows {
    fn from(windows: Vec<Window>) -> Self {
        Self(windows)
    }
}

/// The time `by` after `at`, at most the end of the calendar.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
