//! A moment of the week, as an operator types it: `sun 03:00 Europe/Berlin`.

use super::local_zone::LocalZone;
use super::time_of_day::{TimeOfDay, instant};
use super::weekday;
use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A day of the week, a time of day and whose clock it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeeklyTime {
    day: Weekday,
    time: TimeOfDay,
    zone: LocalZone,
}

impl WeeklyTime {
    /// Its next occurrence, at an instant or after it. A week in which the clock is put forward over it is left out; where
    /// the clock is put back over it, the first of the two counts. `None` at the end of the calendar, in the year 9999.
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

impl FromStr for WeeklyTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [day, time, zone] = words[..] else {
            return Err(format!("'{text}' is not a moment of the week: expected such as 'sun 03:00 Europe/Berlin'"));
        };
        let (day, time, zone) = (weekday::parse(day)?, TimeOfDay::parse(time)?, zone.parse()?);
        if time.is_end_of_day() {
            return Err("'24:00' begins no minute: expected 00:00 of the next day".to_owned());
        }
        Ok(Self { day, time, zone })
    }
}

impl TryFrom<String> for WeeklyTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<WeeklyTime> for String {
    fn from(moment: WeeklyTime) -> String {
        moment.to_string()
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
    fn moments_read_and_write_alike() {
        for text in ["sun 03:00 Europe/Berlin", "mon 00:00 UTC", "thu 23:59 Asia/Kathmandu"] {
            assert_eq!(text.parse::<WeeklyTime>().unwrap().to_string(), text);
        }
        assert_eq!("Sun  03:00 europe/berlin".parse::<WeeklyTime>().unwrap().to_string(), "sun 03:00 Europe/Berlin");
        for (wrong, says) in [
            ("", "'' is not a moment of the week: expected such as 'sun 03:00 Europe/Berlin'"),
            ("sun 03:00", "is not a moment of the week"),
            ("sunday 03:00 UTC", "'sunday' is not a day of the week: expected one of mon"),
            ("sun 3:00 UTC", "'3:00' is not a time of day"),
            ("sun 03:60 UTC", "'03:60' is not a time of day"),
            ("sun 24:00 UTC", "'24:00' begins no minute"),
            ("sun 03:00 Europe/Berlim", "'Europe/Berlim' is not a time zone: expected a name of the IANA database"),
        ] {
            let error = wrong.parse::<WeeklyTime>().unwrap_err();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        }
    }

    #[track_caller]
    fn check(moment: &str, after: &str, next: &str) {
        let moment: WeeklyTime = moment.parse().unwrap();
        let found = moment.next(after.parse().unwrap()).unwrap();
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
    fn the_day_on_which_it_does_not_exist_is_left_out() {
        check("sun 02:30 Europe/Berlin", "2027-03-27T12:00:00Z", "2027-04-04T02:30:00+02:00");
        check("sun 03:00 Europe/Berlin", "2027-03-27T12:00:00Z", "2027-03-28T03:00:00+02:00");
    }

    #[test]
    fn of_one_that_occurs_twice_the_first_counts() {
        check("sun 02:30 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00");
        check("sun 02:30 Europe/Berlin", "2026-10-25T00:40:00Z", "2026-11-01T02:30:00+01:00");
    }

    #[test]
    fn the_calendar_ends() {
        assert_eq!("sun 03:00 UTC".parse::<WeeklyTime>().unwrap().next(Timestamp::MAX), None);
    }
}
