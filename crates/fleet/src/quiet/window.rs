//! A window: a recurring time in which upgrades may run, from `upgrade.windows`.

use super::local_zone::{InvalidTimeZone, LocalZone};
use super::time_of_day::{InvalidTimeOfDay, TimeOfDay, instant_or_next};
use super::weekday::{self, InvalidWeekday};
use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A window, in TOML `{ days = ["sat", "sun"], from = "02:00", to = "05:00", time_zone = "Europe/Berlin" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenWindow", into = "WrittenWindow")]
pub struct Window {
    /// The days on which it opens, in the given order. Never empty.
    days: Vec<Weekday>,
    from: TimeOfDay,
    to: TimeOfDay,
    zone: LocalZone,
}

/// A recurring time in which upgrades may run. It opens at `from` and closes at `to`. If `to` is not after `from`, the window
/// closes on the next day.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Window"))]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    /// The days on which the window opens: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`. Name each day at most once.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1), inner(regex(pattern = r"^(mon|tue|wed|thu|fri|sat|sun)$")))
    )]
    days: Vec<String>,
    /// The time at which the window opens, such as `02:00`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
    from: String,
    /// The time at which the window closes, such as `05:00`. `24:00` is the end of the day.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")))]
    to: String,
    /// The time zone of `from` and `to`.
    #[cfg_attr(feature = "schema", schemars(with = "LocalZone"))]
    time_zone: String,
}

/// Why a window cannot be used. The text names the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// An entry of `days` is not a day of the week.
    #[error("days: {0}")]
    Day(InvalidWeekday),
    /// `days` names a day twice.
    #[error("days: '{0}' is named twice: name each day once")]
    RepeatedDay(String),
    /// `days` is empty.
    #[error("days: the window never opens: name at least one of mon, tue, wed, thu, fri, sat, sun")]
    NoDays,
    /// `from` is not a time of day.
    #[error("from: {0}")]
    From(InvalidTimeOfDay),
    /// `to` is not a time of day.
    #[error("to: {0}")]
    To(InvalidTimeOfDay),
    /// `from` is 24:00.
    #[error("from: '24:00' is the end of a day: expected 00:00 of the next day")]
    OpensAtEndOfDay,
    /// `from` and `to` are equal.
    #[error("to: the window closes when it opens, at {0}: for a whole day, use 00:00 to 24:00")]
    Empty(String),
    /// `time_zone` is not a time zone.
    #[error("time_zone: {0}")]
    Zone(InvalidTimeZone),
}

impl TryFrom<WrittenWindow> for Window {
    type Error = InvalidWindow;

    fn try_from(written: WrittenWindow) -> Result<Self, InvalidWindow> {
        let mut days = Vec::new();
        for text in &written.days {
            let day = weekday::parse(text).map_err(InvalidWindow::Day)?;
            if days.contains(&day) {
                return Err(InvalidWindow::RepeatedDay(text.clone()));
            }
            days.push(day);
        }
        if days.is_empty() {
            return Err(InvalidWindow::NoDays);
        }
        let from = TimeOfDay::parse(&written.from).map_err(InvalidWindow::From)?;
        let to = TimeOfDay::parse(&written.to).map_err(InvalidWindow::To)?;
        if from.is_end_of_day() {
            return Err(InvalidWindow::OpensAtEndOfDay);
        }
        if from == to {
            return Err(InvalidWindow::Empty(written.to));
        }
        let zone = written.time_zone.parse().map_err(InvalidWindow::Zone)?;
        Ok(Self { days, from, to, zone })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Window {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenWindow::json_schema(generator)
    }
}

impl From<Window> for WrittenWindow {
    fn from(window: Window) -> Self {
        Self {
            days: window.days.iter().map(|day| weekday::short(*day).to_owned()).collect(),
            from: window.from.to_string(),
            to: window.to.to_string(),
            time_zone: window.zone.to_string(),
        }
    }
}

impl Window {
    /// The times at which the window opens and closes, in order: each opening that ends after `from` and begins before `until`. On
    /// a day on which the clock skips the whole window, it does not open.
    pub(super) fn openings(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let rules = self.zone.rules();
        // A window that opened on the day before may still be open, and local dates may differ by a day.
        let mut date = from.to_zoned(rules.clone()).date().saturating_sub(2.days());
        let last = until.to_zoned(rules.clone()).date();
        let mut openings = Vec::new();
        while date <= last {
            let closes_on = if self.to > self.from { Some(date) } else { date.checked_add(1.day()).ok() };
            if self.days.contains(&date.weekday()) {
                let opens = self.from.on(date).and_then(|local| instant_or_next(rules, local));
                let closes = closes_on.and_then(|day| self.to.on(day)).and_then(|local| instant_or_next(rules, local));
                let opening = opens.zip(closes);
                openings.extend(opening.filter(|(opens, closes)| opens < closes && *closes > from && *opens < until));
            }
            let Ok(next) = date.checked_add(1.day()) else { break };
            date = next;
        }
        openings
    }

    /// The time at which the window opens, as an EventBridge Scheduler expression.
    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>
    pub(super) fn cron(&self) -> String {
        let days: Vec<_> = self.days.iter().map(|day| weekday::short(*day).to_ascii_uppercase()).collect();
        let (hour, minute) = self.from.hour_and_minute();
        format!("cron({minute} {hour} ? * {} *)", days.join(","))
    }

    pub(super) fn zone(&self) -> &LocalZone {
        &self.zone
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days: Vec<_> = self.days.iter().map(|day| weekday::short(*day)).collect();
        write!(f, "{} {} to {} {}", days.join(", "), self.from, self.to, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(days: &str, from: &str, to: &str, zone: &str) -> Result<Window, String> {
        let text = format!("days = [{days}]\nfrom = \"{from}\"\nto = \"{to}\"\ntime_zone = \"{zone}\"\n");
        toml::from_str(&text).map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn a_written_window_reads_as_the_same_window() {
        let window = read("\"sat\", \"sun\"", "02:00", "05:00", "Europe/Berlin").unwrap();
        assert_eq!(toml::from_str::<Window>(&toml::to_string(&window).unwrap()).unwrap(), window);
        assert_eq!(window.to_string(), "sat, sun 02:00 to 05:00 Europe/Berlin");
        assert_eq!(window.cron(), "cron(0 2 ? * SAT,SUN *)");
    }

    #[test]
    fn an_invalid_window_is_refused_with_its_key() {
        let check = |days: &str, from: &str, to: &str, zone: &str, says: &str| {
            let error = read(days, from, to, zone).unwrap_err();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        };
        check("", "02:00", "05:00", "UTC", "days: the window never opens");
        check("\"sat\", \"sat\"", "02:00", "05:00", "UTC", "days: 'sat' is named twice");
        check("\"caturday\"", "02:00", "05:00", "UTC", "days: 'caturday' is not a day of the week");
        check("\"sat\"", "02:00", "02:00", "UTC", "to: the window closes when it opens, at 02:00");
        check("\"sat\"", "2", "05:00", "UTC", "from: '2' is not a time of day");
        check("\"sat\"", "24:00", "05:00", "UTC", "from: '24:00' is the end of a day");
        check("\"sat\"", "02:00", "24:01", "UTC", "to: '24:01' is not a time of day");
        check("\"sat\"", "02:00", "05:00", "Mars/Olympus", "time_zone: 'Mars/Olympus' is not a time zone");
        let unknown = toml::from_str::<Window>("days = [\"sat\"]\nfrom = \"02:00\"\nuntil = \"05:00\"").unwrap_err();
        assert!(unknown.to_string().contains("unknown field `until`"), "{unknown}");
    }

    #[track_caller]
    fn check(window: &Window, from: &str, expected: &[(&str, &str)]) {
        let from: Timestamp = from.parse().unwrap();
        let openings = window.openings(from, from + 7 * 24.hours());
        let shown = |at: &Timestamp| at.to_string();
        let openings: Vec<_> = openings.iter().map(|(opens, closes)| (shown(opens), shown(closes))).collect();
        let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(openings, expected);
    }

    #[test]
    fn a_window_that_crosses_midnight_belongs_to_the_day_it_opens_on() {
        let window = read("\"sat\"", "23:00", "01:00", "Europe/Berlin").unwrap();
        let next = ("2026-12-05T22:00:00Z", "2026-12-06T00:00:00Z");
        check(&window, "2026-11-28T23:30:00Z", &[("2026-11-28T22:00:00Z", "2026-11-29T00:00:00Z"), next]);
        check(&window, "2026-11-29T00:00:00Z", &[next]);
        let whole = read("\"sat\"", "00:00", "24:00", "UTC").unwrap();
        check(&whole, "2026-11-25T00:00:00Z", &[("2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z")]);
    }

    #[test]
    fn a_window_does_not_open_in_a_time_that_the_clock_skips() {
        // On 28 March 2027 a clock in Berlin goes from 02:00 to 03:00, at 01:00 UTC.
        let check_from = |from: &str, to: &str, expected: &[(&str, &str)]| {
            check(&read("\"sun\"", from, to, "Europe/Berlin").unwrap(), "2027-03-27T00:00:00Z", expected);
        };
        check_from("02:30", "05:00", &[("2027-03-28T01:00:00Z", "2027-03-28T03:00:00Z")]);
        check_from("02:00", "05:00", &[("2027-03-28T01:00:00Z", "2027-03-28T03:00:00Z")]);
        check_from("01:00", "02:30", &[("2027-03-28T00:00:00Z", "2027-03-28T01:00:00Z")]);
        check_from("02:00", "02:45", &[]);
    }

    #[test]
    fn of_a_time_that_occurs_twice_the_first_counts() {
        // On 25 October 2026 a clock in Berlin goes from 03:00 back to 02:00, at 01:00 UTC.
        let check_from = |from: &str, to: &str, expected: &[(&str, &str)]| {
            check(&read("\"sun\"", from, to, "Europe/Berlin").unwrap(), "2026-10-24T00:00:00Z", expected);
        };
        check_from("02:30", "05:00", &[("2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z")]);
        check_from("01:00", "02:30", &[("2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z")]);
    }
}
