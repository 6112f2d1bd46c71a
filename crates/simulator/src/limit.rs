//! The physical limit of a rehearsal: the heaviest chain of latencies that did not overlap.

use std::time::Duration;

use crate::report::Span;

/// The greatest total length of spans each of which begins at or after the end of the one before it: weighted interval
/// scheduling over the spans in the order of their ends.
pub(crate) fn heaviest_chain<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Duration {
    let mut spans: Vec<(Duration, Duration)> = spans.into_iter().map(|span| (span.end, span.start)).collect();
    spans.sort_unstable();
    // best[n] is the answer for the first n spans.
    let mut best = vec![Duration::ZERO];
    for (n, (end, start)) in spans.iter().enumerate() {
        let before = spans[..n].partition_point(|(earlier_end, _)| earlier_end <= start);
        let with = best[before] + end.saturating_sub(*start);
        best.push(with.max(best[n]));
    }
    best.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u64, end: u64) -> Span {
        Span { kind: "test", resource: String::new(), start: Duration::from_secs(start), end: Duration::from_secs(end) }
    }

    #[test]
    fn the_limit_is_the_heaviest_chain() {
        let heaviest = |spans: &[Span]| heaviest_chain(spans).as_secs();
        assert_eq!(heaviest(&[]), 0);
        assert_eq!(heaviest(&[span(0, 10), span(10, 15)]), 15, "one may begin as the other ends");
        assert_eq!(heaviest(&[span(0, 10), span(9, 15)]), 10, "overlapping ones do not add up");
        assert_eq!(heaviest(&[span(0, 4), span(3, 8), span(8, 9), span(4, 8)]), 9);
        assert_eq!(heaviest(&[span(5, 6), span(0, 100), span(7, 99)]), 100, "one long one outweighs many");
    }
}
