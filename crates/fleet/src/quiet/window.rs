//! A window that opens on some days of every week, as the configuration says it.

use super::local_zone::LocalZone;
use super::time_of_day::{TimeOfDay, instant_or_next};
use super::weekday;
use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// In TOML: `days = ["sat", "sun"], from = "02:00", to = "05:00", time_zone = "Europe/Berlin"`. A window whose `to` is not
/// after its `from` closes on the day after the one it opens on; `24:00` closes it at the end of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Window {
    /// On which it opens, in the order given; never empty.
    days: Vec<Weekday>,
    from: TimeOfDay,
    to: TimeOfDay,
    zone: LocalZone,
}

/// The window as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    days: Vec<String>,
    from: String,
    to: String,
    time_zone: String,
}

impl TryFrom<Written> for Window {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let of = |field: &'static str| move |problem: String| format!("{field}: {problem}");
        let mut days = Vec::new();
        for text in &written.days {
            let day = weekday::parse(text).map_err(of("days"))?;
            if days.contains(&day) {
                return Err(format!("days: '{text}' is named twice: name each day once"));
            }
            days.push(day);
        }
        if days.is_empty() {
            return Err(
                "days: the window never opens: name at least one of mon, tue, wed, thu, fri, sat, sun".to_owned()
            );
        }
        let from = TimeOfDay::parse(&written.from).map_err(of("from"))?;
        let to = TimeOfDay::parse(&written.to).map_err(of("to"))?;
        if from.is_end_of_day() {
            return Err("from: '24:00' begins no day: expected 00:00, on the next day".to_owned());
        }
        if from == to {
            return Err(format!("to: the window closes when it opens, at {to}: for a whole day say 00:00 to 24:00"));
        }
        let zone = written.time_zone.parse().map_err(of("time_zone"))?;
        Ok(Self { days, from, to, zone })
    }
}

impl From<Window> for Written {
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
    /// When it opens and closes, each time that is not over by `from` and opens before `until`, in order. On a day on which
    /// the clock is put forward over the whole of it, it does not open.
    pub(super) fn openings(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let rules = self.zone.rules();
        // One that has opened on the day before may still be open, and clocks may be a day ahead of each other.
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
}

impl Window {
    /// When it opens, as EventBridge Scheduler writes it.
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
    fn windows_read_and_write_alike() {
        let window = read("\"sat\", \"sun\"", "02:00", "05:00", "Europe/Berlin").unwrap();
        assert_eq!(toml::from_str::<Window>(&toml::to_string(&window).unwrap()).unwrap(), window);
        assert_eq!(window.to_string(), "sat, sun 02:00 to 05:00 Europe/Berlin");
        assert_eq!(window.cron(), "cron(0 2 ? * SAT,SUN *)");
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let check = |days: &str, from: &str, to: &str, zone: &str, says: &str| {
            let error = read(days, from, to, zone).unwrap_err();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        };
        check("", "02:00", "05:00", "UTC", "days: the window never opens");
        check("\"sat\", \"sat\"", "02:00", "05:00", "UTC", "days: 'sat' is named twice");
        check("\"caturday\"", "02:00", "05:00", "UTC", "days: 'caturday' is not a day of the week");
        check("\"sat\"", "02:00", "02:00", "UTC", "to: the window closes when it opens, at 02:00");
        check("\"sat\"", "2", "05:00", "UTC", "from: '2' is not a time of day");
        check("\"sat\"", "24:00", "05:00", "UTC", "from: '24:00' begins no day");
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
    fn what_the_clock_is_put_forward_over_is_left_out() {
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
    fn of_what_occurs_twice_the_first_counts() {
        // On 25 October 2026 a clock in Berlin goes from 03:00 back to 02:00, at 01:00 UTC.
        let check_from = |from: &str, to: &str, expected: &[(&str, &str)]| {
            check(&read("\"sun\"", from, to, "Europe/Berlin").unwrap(), "2026-10-24T00:00:00Z", expected);
        };
        check_from("02:30", "05:00", &[("2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z")]);
        check_from("01:00", "02:30", &[("2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z")]);
    }
}
