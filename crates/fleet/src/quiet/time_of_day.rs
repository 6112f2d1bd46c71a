//! A local time of day in whole minutes: `03:00`.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Minutes since midnight. 24:00 is midnight of the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeOfDay(u16);

const MIDNIGHT: u16 = 24 * 60;

/// A text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time of day: expected hours and minutes, such as '03:00'")]
pub struct InvalidTimeOfDay(String);

impl TimeOfDay {
    pub(super) fn hour_and_minute(self) -> (u16, u16) {
        (self.0 / 60, self.0 % 60)
    }

    /// Whether this is 24:00, at which no window opens.
    pub(super) fn is_end_of_day(self) -> bool {
        self.0 == MIDNIGHT
    }

    /// Reads `03:00`, or `24:00`.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let wrong = || InvalidTimeOfDay(text.to_owned());
        let number = |part: &str| match part.as_bytes() {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Ok(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
            _ => Err(wrong()),
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let since_midnight = hours * 60 + minutes;
        if minutes < 60 && since_midnight <= MIDNIGHT { Ok(Self(since_midnight)) } else { Err(wrong()) }
    }

    /// The local time on a day. `None` after the last day of the calendar, in the year 9999.
    pub(super) fn on(self, day: Date) -> Option<DateTime> {
        day.to_datetime(jiff::civil::Time::midnight()).checked_add(i64::from(self.0).minutes()).ok()
    }
}

/// The first instant at which a clock in the zone shows `local`. `None` if it never does, because the clock skips that time.
pub(super) fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(local);
    match found.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => found.earlier().ok(),
    }
}

/// The first instant at which a clock in the zone shows `local`, or the instant at which it skips that time.
pub(super) fn instant_or_next(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    if let Some(instant) = instant(zone, local) {
        return Some(instant);
    }
    // jiff's later reading of a skipped time is at the end of the gap, or after it by less than the length of the gap.
    let past_the_gap = zone.to_ambiguous_timestamp(local).later().ok()?.checked_add(1.second()).ok()?;
    zone.preceding(past_the_gap).next().map(|transition| transition.timestamp())
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
