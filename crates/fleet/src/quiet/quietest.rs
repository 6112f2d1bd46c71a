//! The quietest window of the week to come, and why.

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
/// What a daily pattern is read from, at least.
const SECONDS_FOR_A_DAY: i64 = 2 * DAY_SECONDS;
/// What a weekly pattern is read from, at least: each day of the week seen twice. The ends may lack half a day, since the
/// first and the last steps are often missing, and of the rest half may be unknown.
const SECONDS_FOR_A_WEEK: i64 = 14 * DAY_SECONDS - DAY_SECONDS / 2;

/// The window in which the fewest requests are expected, the first such one after the instant that was asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuietWindow {
    /// Whose clocks the times are read from.
    pub time_zone: LocalZone,
    /// When it begins.
    #[serde(serialize_with = "rfc3339")]
    pub start: Zoned,
    /// When it ends.
    #[serde(serialize_with = "rfc3339")]
    pub end: Zoned,
    /// How long it is.
    pub length_seconds: u32,
    /// What the expectation rests on.
    pub pattern: Period,
    /// Requests expected in it.
    pub expected_requests: f64,
    /// Requests expected in a window of this length on average over the week.
    pub mean_requests: f64,
    /// Requests expected in the busiest window of this length.
    pub peak_requests: f64,
    /// What is expected as a share of the average; 1 when no window brings any.
    pub share_of_mean: f64,
    /// The same window each time that the trace has it whole.
    pub seen: Vec<Seen>,
    /// The least that windows of this length have seen, known only afterwards. `None` if the trace has none whole.
    pub best: Option<Hindsight>,
    /// Why this one, in a sentence.
    pub because: String,
}

/// What a window saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub start: Zoned,
    /// The requests in it.
    pub requests: f64,
}

/// The least that windows have seen in the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hindsight {
    /// The window that was the quietest on average over its occurrences, and that average; the start is its first one's.
    /// Windows that the trace has less than half as often as others are left out.
    pub recurring: Seen,
    /// The quietest single one.
    pub single: Seen,
}

/// Why no window is found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuietError {
    /// The upgrade's length is none, or longer than a week.
    #[error("length: {length} cannot be placed in a week: expected a length from 1s to 168h")]
    Length {
        /// The length that was asked for.
        length: Span,
    },
    /// Not enough is known.
    #[error("the trace knows {known_hours} h only: expected two weeks or more, or two days (48 h) for a daily pattern")]
    TooLittle {
        /// How many hours are known, rounded down.
        known_hours: i64,
    },
    /// Gaps at the same time of each day.
    #[error(
        "no window of {length} is known throughout: the trace lacks the same hours on every day; fill them, or ask for a shorter length"
    )]
    Unknown {
        /// The length that was asked for.
        length: Span,
    },
    /// No window of the configuration is open for so long.
    #[error("upgrade.windows: {0}")]
    NotPermitted(NotPermitted),
    /// So late that no week is left in the calendar.
    #[error("after: {after} is at the end of the calendar: expected a time before the year 9999")]
    After {
        /// The instant that was asked about.
        after: Timestamp,
    },
}

/// Finds the window of a length that begins within a week from `after`, that one of `permitted` has whole, if there are any,
/// and in which the fewest requests are expected. Windows begin at whole quarters of an hour; the earliest of equally quiet
/// ones is taken. It is compared with all the week.
///
/// # Errors
/// When too little is known, or the length does not fit.
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
    // By instants, not by local times: so an hour that does not exist is in no window, and one that occurs twice is twice.
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

/// What was found; windows are quarters with the requests expected from there on.
struct Found<'a> {
    zone: &'a LocalZone,
    length: Span,
    period: Period,
    quietest: (i64, f64),
    busiest: (i64, f64),
    mean: f64,
    /// Whether it was looked for inside of windows.
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

    /// Every window that the trace has whole, by its quarter of the period.
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
            (_, 0) => "by what is around it, since the trace never has it whole".to_owned(),
            (Period::Week, 1) => "by the one week that has it whole".to_owned(),
            (Period::Week, _) => format!("by the {times} weeks that have it whole"),
            (Period::Day, _) => {
                format!("by {times} of its occurrences in a trace too short to tell one day of the week from another")
            }
        };
        let of = match (self.within, self.period) {
            (true, _) => "time that upgrade.windows leave",
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

/// Rounded to a tenth of a request: what is beyond is noise to a reader.
fn tenths(requests: f64) -> f64 {
    (requests * 10.0).round() / 10.0
}

fn rfc3339<S: Serializer>(at: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S%:z"))
}

#[cfg(test)]
mod tests;
