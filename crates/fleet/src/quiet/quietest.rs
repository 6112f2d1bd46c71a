//! Finds the quiet window of the coming week, and explains it.

use super::local_zone::LocalZone;
use super::pattern::{Pattern, Period, WEEK, in_period, local};
use super::quarters::{Quarters, first_from, quarters, start, total};
use super::trace::Trace;
use super::weekday;
use super::windows::{NotPermitted, Windows};
use crate::Span;
use jiff::{Timestamp, Zoned};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

const DAY_SECONDS: i64 = 24 * 3600;
/// The shortest known time from which a daily pattern is derived.
const SECONDS_FOR_A_DAY: i64 = 2 * DAY_SECONDS;
/// The shortest trace from which a weekly pattern is derived: each day of the week twice. Half a day may be missing at the ends,
/// because the first and the last steps often are. Half of the rest may be unknown.
const SECONDS_FOR_A_WEEK: i64 = 14 * DAY_SECONDS - DAY_SECONDS / 2;

/// The quiet window: the window with the fewest expected requests within a week. Of several, the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuietWindow {
    /// The time zone of all times.
    pub time_zone: LocalZone,
    /// The start of the window.
    #[serde(serialize_with = "rfc3339")]
    pub start: Zoned,
    /// The end of the window.
    #[serde(serialize_with = "rfc3339")]
    pub end: Zoned,
    /// The length of the window in seconds.
    pub length_seconds: u32,
    /// The period of the pattern that the expectation is based on.
    pub pattern: Period,
    /// The expected requests in the window.
    pub expected_requests: f64,
    /// The mean of the expected requests over all windows of this length in the week.
    pub mean_requests: f64,
    /// The expected requests in the busiest window of this length.
    pub peak_requests: f64,
    /// `expected_requests` divided by `mean_requests`, or 1 if no requests are expected at all.
    pub share_of_mean: f64,
    /// The requests of each earlier occurrence of this window that the trace contains completely.
    pub seen: Vec<Seen>,
    /// The quietest windows of this length in the trace, in hindsight. `None` if the trace contains none completely.
    pub best: Option<Hindsight>,
    /// The explanation of the choice, in one sentence.
    pub because: String,
}

/// The requests of a past window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// The start of the window.
    #[serde(serialize_with = "rfc3339")]
    pub start: Zoned,
    /// The requests in the window.
    pub requests: f64,
}

/// The quietest windows in the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hindsight {
    /// The recurring window with the lowest mean over its occurrences, with the start of its first occurrence and the mean.
    /// Windows that occur less than half as often as others do not count.
    pub recurring: Seen,
    /// The quietest single window.
    pub single: Seen,
}

/// Why there is no quiet window.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuietError {
    /// The length is zero, or longer than a week.
    #[error("length: {length} cannot be placed in a week: expected a length from 1s to 168h")]
    Length {
        /// The requested length.
        length: Span,
    },
    /// The trace is too short.
    #[error(
        "the trace covers only {known_hours} h: expected two weeks or more, or two days (48 h) for a daily pattern"
    )]
    TooLittle {
        /// The known hours, rounded down.
        known_hours: i64,
    },
    /// The trace has gaps at the same time of each day.
    #[error(
        "no window of {length} is completely known: the trace lacks the same hours on every day; fill the gaps, or choose a shorter length"
    )]
    Unknown {
        /// The requested length.
        length: Span,
    },
    /// No window of the configuration is open for this length.
    #[error("upgrade.windows: {0}")]
    NotPermitted(NotPermitted),
    /// The calendar ends within a week of the given time.
    #[error("after: {after} is at the end of the calendar: expected a time before the year 9999")]
    After {
        /// The given time.
        after: Timestamp,
    },
}

/// Finds the quiet window of this length that begins within a week after `after`.
///
/// If `permitted` has windows, the quiet window lies inside one of them. A quiet window begins at a whole quarter of an hour. Of
/// equally quiet windows, the function returns the earliest. The result compares it with all windows of the week.
///
/// # Errors
/// [`QuietError`] if the trace is too short or has gaps, or if the length does not fit.
pub fn quietest(
    trace: &Trace,
    zone: &LocalZone,
    length: Span,
    permitted: &Windows,
    after: Timestamp,
) -> Result<QuietWindow, QuietError> {
    if length.as_secs() == 0 || quarters(length) > WEEK as i64 {
        return Err(QuietError::Length { length });
    }
    let known = Quarters::of(trace);
    let period = period(trace, &known)?;
    let pattern = Pattern::of(&known, zone, period);
    let first = first_from(after);
    let week = first..first + WEEK as i64;
    let horizon = week.start..week.end + quarters(length);
    if start(horizon.end + 1) == Timestamp::MAX {
        return Err(QuietError::After { after });
    }
    // The loop counts instants, not local times. An hour that does not exist is in no window, and an hour that occurs twice
    // counts twice.
    let to_come: Vec<_> = horizon.map(|quarter| pattern.expected(local(quarter, zone).1)).collect();
    let expected = |quarter: i64| total(length, |offset| to_come[(quarter - first + offset) as usize]);
    let windows: Vec<_> = week.filter_map(|quarter| Some((quarter, expected(quarter)?))).collect();
    let permits = |quarter: i64| permitted.permits(start(quarter), length).is_ok();
    let quietest = windows.iter().filter(|(quarter, _)| permits(*quarter)).min_by(|a, b| a.1.total_cmp(&b.1));
    let busiest = windows.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let Some(&busiest) = busiest else { return Err(QuietError::Unknown { length }) };
    let Some(&quietest) = quietest else {
        return Err(permitted
            .permits(after, length)
            .map_or_else(QuietError::NotPermitted, |()| QuietError::Unknown { length }));
    };
    let mean = windows.iter().map(|(_, requests)| requests).sum::<f64>() / windows.len() as f64;
    let within = !permitted.is_empty();
    let found = Found { zone, length, period, quietest, busiest, mean, within };
    Ok(found.window(&known))
}

fn period(trace: &Trace, known: &Quarters) -> Result<Period, QuietError> {
    let known_seconds = known.known_seconds();
    if trace.span_seconds() >= SECONDS_FOR_A_WEEK && known_seconds >= SECONDS_FOR_A_WEEK / 2 {
        Ok(Period::Week)
    } else if known_seconds >= SECONDS_FOR_A_DAY {
        Ok(Period::Day)
    } else {
        Err(QuietError::TooLittle { known_hours: known_seconds / 3600 })
    }
}

/// The result of the search. A window is the number of its first quarter and its expected requests.
struct Found<'a> {
    zone: &'a LocalZone,
    length: Span,
    period: Period,
    quietest: (i64, f64),
    busiest: (i64, f64),
    mean: f64,
    /// Whether the search was limited to `upgrade.windows`.
    within: bool,
}

impl Found<'_> {
    fn window(&self, known: &Quarters) -> QuietWindow {
        let (first, expected) = self.quietest;
        let mut seen = self.seen(known);
        let best = best(&seen);
        let same = seen.remove(&in_period(local(first, self.zone).1, self.period)).unwrap_or_default();
        let start = self.zoned(first);
        let mut window = QuietWindow {
            time_zone: self.zone.clone(),
            end: start.saturating_add(jiff::SignedDuration::from(self.length)),
            start,
            length_seconds: self.length.as_secs(),
            pattern: self.period,
            expected_requests: tenths(expected),
            mean_requests: tenths(self.mean),
            peak_requests: tenths(self.busiest.1),
            share_of_mean: if self.mean > 0.0 { (expected / self.mean * 1000.0).round() / 1000.0 } else { 1.0 },
            seen: same,
            best,
            because: String::new(),
        };
        window.because = self.because(&window);
        window
    }

    /// The windows that the trace contains completely, by the number of their first quarter in the period.
    fn seen(&self, known: &Quarters) -> BTreeMap<usize, Vec<Seen>> {
        let mut seen: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
        for (quarter, _) in known.iter() {
            if let Some(requests) = known.within(quarter, self.length) {
                let window = Seen { start: self.zoned(quarter), requests: tenths(requests) };
                seen.entry(in_period(local(quarter, self.zone).1, self.period)).or_default().push(window);
            }
        }
        seen
    }

    fn zoned(&self, quarter: i64) -> Zoned {
        start(quarter).to_zoned(self.zone.rules().clone())
    }

    fn because(&self, window: &QuietWindow) -> String {
        let when = |at: &Zoned| match self.period {
            Period::Week => format!("{} {}", weekday::long(at.weekday()), at.strftime("%H:%M")),
            Period::Day => at.strftime("%H:%M").to_string(),
        };
        let times = window.seen.len();
        let by = match (self.period, times) {
            (_, 0) => "by the time around it, because the trace never contains all of it".to_owned(),
            (Period::Week, 1) => "by the one week that contains all of it".to_owned(),
            (Period::Week, _) => format!("by the {times} weeks that contain all of it"),
            (Period::Day, _) => {
                format!(
                    "by {times} of its occurrences in a trace that is too short to distinguish the days of the week"
                )
            }
        };
        let of = match (self.within, self.period) {
            (true, _) => "time that upgrade.windows allow",
            (false, Period::Week) => "week",
            (false, Period::Day) => "day",
        };
        format!(
            "{} begins the quietest {} of the {of}, {by}: about {:.0} requests are expected, {:.0} % of the {:.0} in the average window and {:.0} in the busiest ({})",
            when(&window.start),
            self.length,
            window.expected_requests,
            window.share_of_mean * 100.0,
            window.mean_requests,
            window.peak_requests,
            when(&self.zoned(self.busiest.0)),
        )
    }
}

fn best(seen: &BTreeMap<usize, Vec<Seen>>) -> Option<Hindsight> {
    let most = seen.values().map(Vec::len).max()?;
    let recurring = seen.values().filter(|same| same.len() * 2 >= most);
    let recurring = recurring.map(|same| Seen { start: same[0].start.clone(), requests: tenths(mean(same)) });
    let least = |a: &Seen, b: &Seen| a.requests.total_cmp(&b.requests).then_with(|| a.start.cmp(&b.start));
    Some(Hindsight { recurring: recurring.min_by(least)?, single: seen.values().flatten().cloned().min_by(least)? })
}

fn mean(seen: &[Seen]) -> f64 {
    seen.iter().map(|window| window.requests).sum::<f64>() / seen.len() as f64
}

/// Rounds to a tenth of a request. More digits are noise to a reader.
fn tenths(requests: f64) -> f64 {
    (requests * 10.0).round() / 10.0
}

fn rfc3339<S: Serializer>(at: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S%:z"))
}

#[cfg(test)]
mod tests;
