//! A time on the clock on the wall, in whole minutes: `03:00`.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Minutes since midnight, up to 24:00, which is the next day's midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeOfDay(u16);

const MIDNIGHT: u16 = 24 * 60;

impl TimeOfDay {
    pub(super) fn hour_and_minute(self) -> (u16, u16) {
        (self.0 / 60, self.0 % 60)
    }

    /// Whether this is 24:00, at which nothing begins.
    pub(super) fn is_end_of_day(self) -> bool {
        self.0 == MIDNIGHT
    }

    /// Reads `03:00`, or `24:00`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a time of day: expected hours and minutes, such as '03:00'");
        let number = |part: &str| match part.as_bytes() {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Ok(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
            _ => Err(wrong()),
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let since_midnight = hours * 60 + minutes;
        if minutes < 60 && since_midnight <= MIDNIGHT { Ok(Self(since_midnight)) } else { Err(wrong()) }
    }

    /// The time on a day, on the clock on the wall. `None` past the last day of the calendar, in the year 9999.
    pub(super) fn on(self, day: Date) -> Option<DateTime> {
        day.to_datetime(jiff::civil::Time::midnight()).checked_add(i64::from(self.0).minutes()).ok()
    }
}

/// The first instant at which a clock in the zone shows `local`; `None` where it never does, since it is put forward over it.
pub(super) fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(local);
    match found.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => found.earlier().ok(),
    }
}

/// The first instant at which a clock in the zone shows `local` or has been put forward over it.
pub(super) fn instant_or_next(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    if let Some(instant) = instant(zone, local) {
        return Some(instant);
    }
    // The later reading of a time in a gap lies at the gap's end or less than the gap's length after it.
    let past_the_gap = zone.to_ambiguous_timestamp(local).later().ok()?.checked_add(1.second()).ok()?;
    zone.preceding(past_the_gap).next().map(|transition| transition.timestamp())
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
