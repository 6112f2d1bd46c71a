//! A trace in quarters of an hour, at which quiet windows begin.
//!
//! The offset of every present time zone from UTC is a whole number of quarters, so that one grid fits all of them.

use super::trace::Trace;
use crate::Span;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A quarter of an hour, in seconds.
pub(super) const QUARTER: i64 = 900;
/// Smoothing a quarter uses this number of quarters on either side: up to two and a half hours.
const SMOOTHED_OVER: i64 = 10;

/// The requests in each known quarter of an hour, by the number of quarters since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quarters(BTreeMap<i64, f64>);

impl Quarters {
    /// Spreads the requests of each step evenly over the step. A quarter is known if at least half of it is known; the rest is
    /// then assumed to be like the known part.
    pub(super) fn of(trace: &Trace) -> Self {
        let step = trace.step_seconds();
        let mut known: BTreeMap<i64, (i64, f64)> = BTreeMap::new();
        for &(start, requests) in trace.steps() {
            let end = start + step;
            let mut from = start;
            while from < end {
                let quarter = from.div_euclid(QUARTER);
                let to = end.min((quarter + 1) * QUARTER);
                let (seconds, sum) = known.entry(quarter).or_default();
                *seconds += to - from;
                *sum += requests * (to - from) as f64 / step as f64;
                from = to;
            }
        }
        let enough = known.into_iter().filter(|(_, (seconds, _))| seconds * 2 >= QUARTER);
        Self(enough.map(|(quarter, (seconds, sum))| (quarter, sum * QUARTER as f64 / seconds as f64)).collect())
    }

    /// The known quarters and their requests, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, f64)> {
        self.0.iter().map(|(quarter, requests)| (*quarter, *requests))
    }

    /// The length of all known quarters, in seconds.
    pub(super) fn known_seconds(&self) -> i64 {
        self.0.len() as i64 * QUARTER
    }

    /// Replaces each known quarter by a weighted mean of itself and its known neighbours. The weight falls with the distance.
    /// Counts of a quarter are much noisier than the course of a day.
    pub(super) fn smoothed(&self) -> Self {
        let smooth = |quarter: i64| {
            let near = self.0.range(quarter - SMOOTHED_OVER + 1..quarter + SMOOTHED_OVER);
            let weighed = near.map(|(other, requests)| ((SMOOTHED_OVER - (other - quarter).abs()) as f64, requests));
            let (weight, sum) =
                weighed.fold((0.0, 0.0), |(all, sum), (weight, requests)| (all + weight, sum + weight * requests));
            sum / weight
        };
        Self(self.0.keys().map(|quarter| (*quarter, smooth(*quarter))).collect())
    }

    /// The requests in a window that begins with this quarter, if all of the window is known.
    pub(super) fn within(&self, first: i64, length: Span) -> Option<f64> {
        total(length, |offset| self.0.get(&(first + offset)).copied())
    }
}

/// The sum over a window. The last quarter counts with the share of it that the window covers.
pub(super) fn total(length: Span, requests: impl Fn(i64) -> Option<f64>) -> Option<f64> {
    let seconds = i64::from(length.as_secs());
    let part = |offset: i64| (seconds - offset * QUARTER).min(QUARTER) as f64 / QUARTER as f64;
    (0..quarters(length)).map(|offset| requests(offset).map(|requests| requests * part(offset))).sum()
}

/// The number of quarters that a window covers at least in part.
pub(super) fn quarters(length: Span) -> i64 {
    i64::from(length.as_secs()).div_euclid(QUARTER) + i64::from(i64::from(length.as_secs()) % QUARTER != 0)
}

/// The start of a quarter, at most the end of the calendar.
pub(super) fn start(quarter: i64) -> Timestamp {
    Timestamp::from_second(quarter.saturating_mul(QUARTER)).unwrap_or(Timestamp::MAX)
}

/// The first quarter that begins at or after an instant.
pub(super) fn first_from(at: Timestamp) -> i64 {
    let whole = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    whole.div_euclid(QUARTER) + i64::from(whole.rem_euclid(QUARTER) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarters_of(step: i64, values: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let points = values.iter().map(|(index, value)| (Timestamp::from_second(index * step).unwrap(), *value));
        Quarters::of(&Trace::from_points(points).unwrap()).iter().collect()
    }

    #[test]
    fn steps_of_any_length_are_converted_to_quarters() {
        assert_eq!(quarters_of(300, &[(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0), (4, 5.0)]), [(0, 6.0), (1, 13.5)]);
        assert_eq!(quarters_of(3600, &[(0, 8.0), (1, 4.0)])[3..5], [(3, 2.0), (4, 1.0)]);
        // A step in two quarters is spread over both: of the 1200 s from second 1200, 600 s are in the second quarter.
        assert_eq!(quarters_of(1200, &[(0, 12.0), (1, 24.0)]), [(0, 9.0), (1, 15.0), (2, 18.0)][..].to_vec());
    }

    #[test]
    fn a_quarter_of_which_less_than_half_is_known_is_unknown() {
        assert_eq!(quarters_of(300, &[(0, 1.0), (1, 2.0), (3, 4.0), (6, 1.0), (7, 1.0)]), [(0, 4.5), (2, 3.0)]);
    }

    #[test]
    fn a_window_counts_part_of_its_last_quarter_and_no_unknown_quarter() {
        let quarters = Quarters([(0, 9.0), (1, 6.0), (3, 1.0)].into());
        assert_eq!(quarters.within(0, Span::minutes(20)), Some(11.0));
        assert_eq!(quarters.within(0, Span::minutes(30)), Some(15.0));
        assert_eq!(quarters.within(0, Span::minutes(31)), None);
        assert_eq!(quarters.within(3, Span::seconds(1)), Some(1.0 / 900.0));
    }

    #[test]
    fn smoothing_keeps_even_counts_and_spreads_a_spike() {
        let even = Quarters((0..50).filter(|quarter| *quarter != 20).map(|quarter| (quarter, 3.0)).collect());
        assert_eq!(even.smoothed(), even);
        let spike = Quarters((0..50).map(|quarter| (quarter, if quarter == 25 { 100.0 } else { 0.0 })).collect());
        let smooth: Vec<_> = spike.smoothed().iter().map(|(_, requests)| requests).collect();
        assert_eq!((smooth[15], smooth[16], smooth[25], smooth[34]), (0.0, 1.0, 10.0, 1.0));
    }

    #[test]
    fn windows_begin_at_whole_quarters() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = |text: &str| start(first_from(at(text)));
        assert_eq!(first("2026-03-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        assert_eq!(first("2026-03-01T00:00:00.1Z"), at("2026-03-01T00:15:00Z"));
        assert_eq!(first("1969-12-31T23:50:00Z"), at("1970-01-01T00:00:00Z"));
    }
}
