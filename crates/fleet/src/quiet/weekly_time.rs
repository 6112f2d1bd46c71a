//! A weekly time, as an operator writes it: `sun 03:00 Europe/Berlin`.

use super::local_zone::{InvalidTimeZone, LocalZone};
use super::time_of_day::{InvalidTimeOfDay, TimeOfDay, instant};
use super::weekday::{self, InvalidWeekday};
use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A weekly time: a day of the week, a time of day and its time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeeklyTime {
    day: Weekday,
    time: TimeOfDay,
    zone: LocalZone,
}

impl WeeklyTime {
    /// The next occurrence at or after an instant. A week in which the clock skips the time has no occurrence. If the clock shows
    /// the time twice, the first counts. `None` at the end of the calendar, in the year 9999.
    pub fn next(&self, after: Timestamp) -> Option<Zoned> {
        let mut date = after.to_zoned(self.zone.rules().clone()).date();
        loop {
            if date.weekday() == self.day {
                let occurrence = self.time.on(date).and_then(|local| instant(self.zone.rules(), local));
                if let Some(at) = occurrence.filter(|at| *at >= after) {
                    return Some(at.to_zoned(self.zone.rules().clone()));
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
    }
}

/// A text that is not a weekly time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWeeklyTime {
    /// The text does not have three words.
    #[error("'{0}' is not a weekly time: expected a day, a time and a time zone, such as 'sun 03:00 Europe/Berlin'")]
    Form(String),
    /// The first word is not a day of the week.
    #[error(transparent)]
    Day(#[from] InvalidWeekday),
    /// The second word is not a time of day.
    #[error(transparent)]
    Time(#[from] InvalidTimeOfDay),
    /// The time is 24:00.
    #[error("'24:00' is the end of a day: expected 00:00 of the next day")]
    EndOfDay,
    /// The third word is not a time zone.
    #[error(transparent)]
    Zone(#[from] InvalidTimeZone),
}

impl FromStr for WeeklyTime {
    type Err = InvalidWeeklyTime;

    fn from_str(text: &str) -> Result<Self, InvalidWeeklyTime> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [day, time, zone] = words[..] else {
            return Err(InvalidWeeklyTime::Form(text.to_owned()));
        };
        let (day, time, zone) = (weekday::parse(day)?, TimeOfDay::parse(time)?, zone.parse()?);
        if time.is_end_of_day() {
            return Err(InvalidWeeklyTime::EndOfDay);
        }
        Ok(Self { day, time, zone })
    }
}

impl TryFrom<String> for WeeklyTime {
    type Error = InvalidWeeklyTime;

    fn try_from(text: String) -> Result<Self, InvalidWeeklyTime> {
        text.parse()
    }
}

impl From<WeeklyTime> for String {
    fn from(time: WeeklyTime) -> String {
        time.to_string()
    }
}

impl std::fmt::Display for WeeklyTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", weekday::short(self.day), self.time, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_weekly_time_reads_as_the_same_time() {
        for text in ["sun 03:00 Europe/Berlin", "mon 00:00 UTC", "thu 23:59 Asia/Kathmandu"] {
            assert_eq!(text.parse::<WeeklyTime>().unwrap().to_string(), text);
        }
        assert_eq!("Sun  03:00 europe/berlin".parse::<WeeklyTime>().unwrap().to_string(), "sun 03:00 Europe/Berlin");
        for (wrong, says) in [
            ("", "'' is not a weekly time: expected a day, a time and a time zone, such as 'sun 03:00 Europe/Berlin'"),
            ("sun 03:00", "is not a weekly time"),
            ("sunday 03:00 UTC", "'sunday' is not a day of the week: expected one of mon"),
            ("sun 3:00 UTC", "'3:00' is not a time of day"),
            ("sun 03:60 UTC", "'03:60' is not a time of day"),
            ("sun 24:00 UTC", "'24:00' is the end of a day"),
            ("sun 03:00 Europe/Berlim", "'Europe/Berlim' is not a time zone: expected a name of the IANA database"),
        ] {
            let error = wrong.parse::<WeeklyTime>().unwrap_err().to_string();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        }
    }

    #[track_caller]
    fn check(time: &str, after: &str, next: &str) {
        let time: WeeklyTime = time.parse().unwrap();
        let found = time.next(after.parse().unwrap()).unwrap();
        assert_eq!(found.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), next);
    }

    #[test]
    fn the_next_occurrence_may_be_now_and_is_within_a_week() {
        check("sun 03:00 Europe/Berlin", "2026-11-25T12:00:00Z", "2026-11-29T03:00:00+01:00");
        check("sun 03:00 Europe/Berlin", "2026-11-29T02:00:00Z", "2026-11-29T03:00:00+01:00");
        check("sun 03:00 Europe/Berlin", "2026-11-29T02:00:01Z", "2026-12-06T03:00:00+01:00");
        // Already Sunday there, still Saturday in UTC.
        check("sun 00:30 Asia/Tokyo", "2026-11-28T15:10:00Z", "2026-11-29T00:30:00+09:00");
    }

    #[test]
    fn a_day_on_which_the_clock_skips_the_time_has_no_occurrence() {
        check("sun 02:30 Europe/Berlin", "2027-03-27T12:00:00Z", "2027-04-04T02:30:00+02:00");
        check("sun 03:00 Europe/Berlin", "2027-03-27T12:00:00Z", "2027-03-28T03:00:00+02:00");
    }

    #[test]
    fn of_a_time_that_occurs_twice_the_first_counts() {
        check("sun 02:30 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00");
        check("sun 02:30 Europe/Berlin", "2026-10-25T00:40:00Z", "2026-11-01T02:30:00+01:00");
    }

    #[test]
    fn there_is_no_occurrence_at_the_end_of_the_calendar() {
        assert_eq!("sun 03:00 UTC".parse::<WeeklyTime>().unwrap().next(Timestamp::MAX), None);
    }
}
