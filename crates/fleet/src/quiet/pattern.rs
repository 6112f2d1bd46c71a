//! The expected requests of a week, for each quarter of an hour in local time.
//!
//! The expectation for a quarter is a median. It is taken over the smoothed requests of that quarter in each week, and over
//! the value that all days suggest for it: the level of its day of the week times the usual course of a day. With two weeks,
//! that is a median of three values. It ignores one week with an outage or a burst, and it keeps a habit that both weeks show,
//! even if no other day shows it.

use super::local_zone::LocalZone;
use super::quarters::{Quarters, start};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// Quarters of a day.
const DAY: usize = 96;
/// Quarters of a week.
pub(super) const WEEK: usize = 7 * DAY;

/// The period of the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// Each day of the week has its own course.
    Week,
    /// All days have the same course, because the trace is too short to distinguish them.
    Day,
}

/// The local date of a quarter, and its number in the week, counted from Monday 00:00.
pub(super) fn local(quarter: i64, zone: &LocalZone) -> (Date, usize) {
    let local = zone.rules().to_datetime(start(quarter));
    let day = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
    let minute = usize::from(local.hour().unsigned_abs()) * 60 + usize::from(local.minute().unsigned_abs());
    (local.date(), day * DAY + minute / 15)
}

/// The number of a quarter of the week in its period.
pub(super) fn in_period(of_week: usize, period: Period) -> usize {
    match period {
        Period::Week => of_week,
        Period::Day => of_week % DAY,
    }
}

/// The expected requests of each quarter of a week, where they are known.
pub(super) struct Pattern(Vec<Option<f64>>);

impl Pattern {
    pub(super) fn of(quarters: &Quarters, zone: &LocalZone, period: Period) -> Self {
        let smoothed: Vec<_> =
            quarters.smoothed().iter().map(|(quarter, requests)| (local(quarter, zone), requests)).collect();
        let mut values = match period {
            Period::Week => suggested_by_all_days(&smoothed),
            Period::Day => vec![Vec::new(); WEEK],
        };
        for ((_, of_week), requests) in &smoothed {
            values[in_period(*of_week, period)].push(*requests);
        }
        let expected: Vec<_> = values.into_iter().map(median).collect();
        Self((0..WEEK).map(|of_week| expected[in_period(of_week, period)]).collect())
    }

    pub(super) fn expected(&self, of_week: usize) -> Option<f64> {
        self.0[of_week]
    }
}

/// The level of each day of the week times the usual course of a day. Days of which less than half is known do not count.
fn suggested_by_all_days(smoothed: &[((Date, usize), f64)]) -> Vec<Vec<f64>> {
    let mut days: BTreeMap<Date, Vec<(usize, f64)>> = BTreeMap::new();
    for ((date, of_week), requests) in smoothed {
        days.entry(*date).or_default().push((*of_week, *requests));
    }
    let mut levels = vec![Vec::new(); 7];
    let mut courses = vec![Vec::new(); DAY];
    for day in days.values().filter(|day| day.len() * 2 >= DAY) {
        let Some(level) = median(day.iter().map(|(_, requests)| *requests).collect()) else { continue };
        levels[day[0].0 / DAY].push(level);
        for (of_week, requests) in day.iter().filter(|_| level > 0.0) {
            courses[of_week % DAY].push(requests / level);
        }
    }
    let levels: Vec<_> = levels.into_iter().map(median).collect();
    let courses: Vec<_> = courses.into_iter().map(median).collect();
    let suggested = |of_week: usize| levels[of_week / DAY].zip(courses[of_week % DAY]);
    (0..WEEK).map(|of_week| suggested(of_week).map(|(level, course)| level * course).into_iter().collect()).collect()
}

/// The middle value, or the mean of the two middle values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(Vec::new()), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn quarters_are_counted_in_local_time() {
        let berlin: LocalZone = "Europe/Berlin".parse().unwrap();
        let of_week = |text: &str| local(super::super::quarters::first_from(text.parse().unwrap()), &berlin).1;
        assert_eq!(of_week("2026-03-01T23:00:00Z"), 0, "Monday 00:00 in winter");
        assert_eq!(of_week("2026-04-05T22:00:00Z"), 0, "Monday 00:00 in summer");
        assert_eq!(of_week("2026-03-01T22:45:00Z"), WEEK - 1);
    }
}
