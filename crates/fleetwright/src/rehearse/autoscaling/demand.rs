//! The clients' demand, in requests per second, at every second of a trace.

use fleet::Trace;

/// The demand of a trace. The middle of each step has the step's mean, and between two middles the demand changes linearly,
/// across missing steps too.
pub(super) struct Demand {
    /// The first second of the trace, in Unix time.
    pub start: i64,
    /// The length of the trace, in seconds.
    pub seconds: i64,
    /// Seconds since the start, and requests per second. In order of time, never empty.
    points: Vec<(f64, f64)>,
}

impl Demand {
    pub(super) fn of(trace: &Trace) -> Self {
        let (steps, length) = (trace.steps(), trace.step_seconds() as f64);
        let start = trace.end().as_second() - trace.span_seconds();
        let point = |(at, requests): &(i64, f64)| ((at - start) as f64 + length / 2.0, requests / length);
        Self { start, seconds: trace.span_seconds(), points: steps.iter().map(point).collect() }
    }

    /// The requests of each second, in order.
    pub(super) fn each_second(&self) -> impl Iterator<Item = f64> {
        let mut next = 0;
        (0..self.seconds).map(move |second| {
            let at = second as f64 + 0.5;
            while self.points.get(next).is_some_and(|point| point.0 <= at) {
                next += 1;
            }
            match (next.checked_sub(1).and_then(|before| self.points.get(before)), self.points.get(next)) {
                (Some(before), Some(after)) => before.1 + (after.1 - before.1) * (at - before.0) / (after.0 - before.0),
                // Before the first middle and after the last one.
                (None, Some(only)) | (Some(only), None) => only.1,
                (None, None) => 0.0,
            }
        })
    }

    /// The demand that 99 of 100 known steps do not exceed, in requests per second.
    pub(super) fn busy(&self) -> f64 {
        let mut rates: Vec<_> = self.points.iter().map(|point| point.1).collect();
        rates.sort_by(f64::total_cmp);
        rates[(rates.len() * 99).div_ceil(100) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn demand_changes_linearly_from_middle_to_middle_and_across_gaps() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let trace = Trace::from_points([(at(100), 10.0), (at(110), 20.0), (at(140), 50.0), (at(150), 50.0)]).unwrap();
        let demand = Demand::of(&trace);
        assert_eq!((demand.start, demand.seconds, demand.busy()), (100, 60, 5.0));
        let seconds: Vec<f64> = demand.each_second().collect();
        assert_eq!(seconds.len(), 60);
        assert_eq!((seconds[0], seconds[4], seconds[59]), (1.0, 1.0, 5.0));
        assert!((seconds[9] - 1.45).abs() < 1e-9 && (seconds[29] - 3.45).abs() < 1e-9, "{seconds:?}");
    }
}
