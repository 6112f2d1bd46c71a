//! Whether a run that takes so long may start now: it must end inside a window. Scaling and rollback do not ask.

use super::local_zone::LocalZone;
use super::window::Window;
use crate::Span;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far ahead an opening is looked for. A window opens every week, except one that falls into the hour over which a
/// clock is put forward, which is once a year.
const AHEAD: SignedDuration = SignedDuration::from_hours(15 * 24);

/// The windows in which members may be changed; where there are none, they may be at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Windows(Vec<Window>);

/// Why a run may not start, and when it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// No window is open.
    #[error("no window is open at {at}: the next one that a run of {length} fits into opens at {next}")]
    Closed {
        /// When the run was to start.
        at: Timestamp,
        /// How long it is expected to take.
        length: Span,
        /// When it may start.
        next: Timestamp,
    },
    /// The window closes too early.
    #[error(
        "a run of {length} from {at} would end after its window closes at {closes}: the next one that it fits into opens at {next}"
    )]
    TooLate {
        /// When the run was to start.
        at: Timestamp,
        /// How long it is expected to take.
        length: Span,
        /// When the window closes.
        closes: Timestamp,
        /// When it may start.
        next: Timestamp,
    },
    /// No window is long enough.
    #[error("a run of {length} fits into no window: the longest is open for {longest}; lengthen a window")]
    NeverFits {
        /// How long the run is expected to take.
        length: Span,
        /// How long the longest window is open.
        longest: Span,
    },
}

impl NotPermitted {
    /// When the run may start; `None` if it fits into no window.
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

    /// When each of them opens, as EventBridge Scheduler writes it, and by whose clock.
    pub fn crons(&self) -> impl Iterator<Item = (String, &LocalZone)> {
        self.0.iter().map(|window| (window.cron(), window.zone()))
    }

    /// Whether a run that takes `length` from `at` on would end inside a window, at its very end at the latest. Windows that
    /// overlap, or of which one opens when another closes, are one.
    ///
    /// # Errors
    /// Why not, and when a run of this length may start.
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
                // Days at most, so that the seconds fit.
                let longest = Span::seconds(u32::try_from(longest.unwrap_or(0)).unwrap_or(u32::MAX));
                Err(NotPermitted::NeverFits { length, longest })
            }
        }
    }

    /// When members may be changed: all openings, in order, none of which touches another.
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

/// So much later, at most at the end of the calendar.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
