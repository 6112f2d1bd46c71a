//! A trace: request counts over time, one for each step, from a load balancer's metric or a file.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// The longest step, in seconds: an hour. It is the longest CloudWatch period that distinguishes one hour from the next.
const LONGEST_STEP: i64 = 3600;
/// The largest count of a step. Sums of millions of such counts stay finite and exact enough.
const LARGEST_COUNT: f64 = 1e15;

/// Request counts over time. A step that is missing is unknown, not zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    step_seconds: i64,
    /// The start of each step, in seconds of Unix time, and its requests. In order, never empty.
    steps: Vec<(i64, f64)>,
}

/// Why a trace cannot be used. The text names the row, counted as a line of the file, the column, and what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// The first row does not name the columns of a trace.
    #[error("row 1: the columns are '{found}': expected 'timestamp,value'")]
    Columns {
        /// The text of the first row.
        found: String,
    },
    /// A row does not have two fields.
    #[error("row {row}: {problem}: expected two fields, timestamp and value")]
    Malformed {
        /// The number of the row.
        row: u64,
        /// What is wrong with the row.
        problem: String,
    },
    /// A field has a value that cannot be used.
    #[error("row {row}, {column}: {problem}")]
    Field {
        /// The number of the row.
        row: u64,
        /// The name of the column.
        column: &'static str,
        /// What is wrong with the value, and what would be right.
        problem: String,
    },
    /// The trace has fewer than two rows, so its step is not known.
    #[error("{0}: expected at least two rows, whose distance is the step, and two days for a pattern")]
    TooFewRows(&'static str),
    /// The steps are longer than an hour.
    #[error("timestamp: the step is {seconds} s, the most common distance of two rows: expected at most 3600 s")]
    Step {
        /// The most common distance of two rows.
        seconds: i64,
    },
}

/// A count and the number of its row.
pub(super) struct Row {
    pub(super) row: u64,
    pub(super) at: Timestamp,
    pub(super) requests: f64,
}

impl Trace {
    /// A trace from the data points of a metric, in any order, as CloudWatch returns them. Each has the start of its period.
    ///
    /// # Errors
    /// [`TraceError`] for the first point that cannot be used. Rows are counted in the order of time, from 1.
    pub fn from_points(points: impl IntoIterator<Item = (Timestamp, f64)>) -> Result<Self, TraceError> {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_by_key(|(at, _)| *at);
        let rows = (1..).zip(points).map(|(row, (at, requests))| Row { row, at, requests });
        Self::from_rows(&rows.collect::<Vec<_>>())
    }

    pub(super) fn from_rows(rows: &[Row]) -> Result<Self, TraceError> {
        for row in rows {
            check(row)?;
        }
        if let Some(pair) = rows.windows(2).find(|pair| pair[1].at <= pair[0].at) {
            let problem = match pair[1].at == pair[0].at {
                true => format!("{} is the time of row {} as well", pair[1].at, pair[0].row),
                false => format!("{} is before {} of row {}", pair[1].at, pair[0].at, pair[0].row),
            };
            return Err(timestamp(&pair[1], format!("{problem}: expected each time once, in order")));
        }
        let step_seconds = step(rows)?;
        if let Some(pair) = rows.windows(2).find(|pair| distance(pair) % step_seconds != 0) {
            let problem = format!(
                "{} is {} s after row {}: expected a multiple of {step_seconds} s, the most common distance of two rows",
                pair[1].at,
                distance(pair),
                pair[0].row
            );
            return Err(timestamp(&pair[1], problem));
        }
        Ok(Self { step_seconds, steps: rows.iter().map(|row| (row.at.as_second(), row.requests)).collect() })
    }

    /// The length of a step, in seconds.
    pub fn step_seconds(&self) -> i64 {
        self.step_seconds
    }

    /// The start of each known step, in seconds of Unix time, and its requests, in order.
    pub fn steps(&self) -> &[(i64, f64)] {
        &self.steps
    }

    /// The number of known steps.
    pub fn known(&self) -> usize {
        self.steps.len()
    }

    /// The number of unknown steps between the first and the last.
    pub fn missing(&self) -> u64 {
        // `from_rows` checks that times are in order and whole steps apart.
        (self.span_seconds() / self.step_seconds).unsigned_abs() - self.steps.len() as u64
    }

    /// The seconds from the start of the first step to the end of the last.
    pub fn span_seconds(&self) -> i64 {
        self.steps[self.steps.len() - 1].0 - self.steps[0].0 + self.step_seconds
    }

    /// The end of the last step, at most the end of the calendar.
    pub fn end(&self) -> Timestamp {
        let last = self.steps[self.steps.len() - 1].0;
        Timestamp::from_second(last + self.step_seconds).unwrap_or(Timestamp::MAX)
    }
}

fn check(row: &Row) -> Result<(), TraceError> {
    if row.at.subsec_nanosecond() != 0 {
        return Err(timestamp(row, format!("{} has a fraction of a second: expected whole seconds", row.at)));
    }
    let count = row.requests;
    if count.is_finite() && (0.0..=LARGEST_COUNT).contains(&count) {
        return Ok(());
    }
    let problem = format!("{count} is not a count of requests: expected a number from 0 to 1e15");
    Err(TraceError::Field { row: row.row, column: "value", problem })
}

fn timestamp(row: &Row, problem: String) -> TraceError {
    TraceError::Field { row: row.row, column: "timestamp", problem }
}

fn distance(pair: &[Row]) -> i64 {
    pair[1].at.as_second() - pair[0].at.as_second()
}

/// The most common distance of two rows. Of equally common distances, the shortest.
fn step(rows: &[Row]) -> Result<i64, TraceError> {
    let mut distances: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in rows.windows(2) {
        *distances.entry(distance(pair)).or_default() += 1;
    }
    let common = distances.into_iter().max_by_key(|(seconds, pairs)| (*pairs, std::cmp::Reverse(*seconds)));
    match common {
        None => Err(TraceError::TooFewRows(if rows.is_empty() { "no rows" } else { "a single row" })),
        Some((seconds, _)) if seconds > LONGEST_STEP => Err(TraceError::Step { seconds }),
        Some((seconds, _)) => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn points_may_be_in_any_order_and_have_gaps() {
        let trace = Trace::from_points([(at(900), 3.0), (at(0), 1.0), (at(300), 2.0), (at(600), 0.5)]).unwrap();
        assert_eq!((trace.step_seconds(), trace.known(), trace.missing()), (300, 4, 0));
        assert_eq!((trace.span_seconds(), trace.end()), (1200, at(1200)));
        let gaps = Trace::from_points([(at(0), 1.0), (at(60), 2.0), (at(300), 3.0)]).unwrap();
        assert_eq!((gaps.step_seconds(), gaps.known(), gaps.missing()), (60, 3, 3));
    }

    #[test]
    fn unusable_points_are_named() {
        let check = |points: &[(Timestamp, f64)], says: &str| {
            let error = Trace::from_points(points.iter().copied()).unwrap_err().to_string();
            assert!(error.contains(says), "'{says}' is not in: {error}");
        };
        check(&[], "no rows");
        check(&[(at(0), 1.0)], "a single row");
        check(&[(at(0), 1.0), (at(60), f64::NAN)], "row 2, value: NaN is not a count");
        check(&[(at(0), 1.0), (at(60), -1.0)], "row 2, value: -1 is not a count");
        check(
            &[(at(0), 1.0), (at(60), 1.0), (at(60), 2.0)],
            "row 3, timestamp: 1970-01-01T00:01:00Z is the time of row 2",
        );
        check(&[(at(0), 1.0), (at(60), 1.0), (at(120), 1.0), (at(150), 2.0)], "row 4, timestamp: 1970-01-01T00:02:30Z");
        check(&[(at(0), 1.0), (at(7200), 1.0)], "the step is 7200 s");
        check(&[(Timestamp::from_millisecond(500).unwrap(), 1.0)], "fraction of a second");
    }
}
