//! The expected length of a run, from which a start inside a window follows.

use crate::Span;
use serde::Serialize;

/// The expected length of a run, and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum ExpectedLength {
    /// The fleet's own past runs of the same kind.
    PastRuns {
        /// The 95th percentile of their lengths.
        length: Span,
        /// The number of runs.
        runs: usize,
    },
    /// Rehearsals, because the fleet has no past run of the same kind.
    Rehearsals {
        /// The 95th percentile of their lengths.
        length: Span,
        /// The number of rehearsals.
        runs: usize,
    },
}

impl ExpectedLength {
    /// The expected length.
    pub fn length(self) -> Span {
        match self {
            Self::PastRuns { length, .. } | Self::Rehearsals { length, .. } => length,
        }
    }
}

/// The expected length of a run from past runs, or from rehearsals if there are none. `None` without either.
pub fn expected_length(past: &[Span], rehearsed: &[Span]) -> Option<ExpectedLength> {
    let by_past = percentile_95(past).map(|length| ExpectedLength::PastRuns { length, runs: past.len() });
    by_past
        .or_else(|| percentile_95(rehearsed).map(|length| ExpectedLength::Rehearsals { length, runs: rehearsed.len() }))
}

/// The 95th percentile by nearest rank: the shortest of the lengths that at least 95 % of them do not exceed. For fewer than 20
/// lengths, it is the longest. `None` if there are none.
pub fn percentile_95(lengths: &[Span]) -> Option<Span> {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 95).div_ceil(100);
    rank.checked_sub(1).map(|last| sorted[last])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(seconds: u32) -> Vec<Span> {
        (1..=seconds).rev().map(Span::seconds).collect()
    }

    #[test]
    fn the_95th_percentile_is_the_length_at_the_nearest_rank() {
        for (runs, rank) in [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (40, 38), (41, 39), (100, 95), (101, 96)] {
            assert_eq!(percentile_95(&up_to(runs)), Some(Span::seconds(rank)), "of {runs}");
        }
        assert_eq!(percentile_95(&[]), None);
    }

    #[test]
    fn rehearsals_count_only_without_past_runs() {
        let (past, rehearsed) = (up_to(3), up_to(30));
        let by_past = ExpectedLength::PastRuns { length: Span::seconds(3), runs: 3 };
        let by_rehearsals = ExpectedLength::Rehearsals { length: Span::seconds(29), runs: 30 };
        assert_eq!(expected_length(&past, &rehearsed), Some(by_past));
        assert_eq!(expected_length(&[], &rehearsed), Some(by_rehearsals));
        assert_eq!(expected_length(&[], &[]), None);
        assert_eq!((by_past.length(), by_rehearsals.length()), (Span::seconds(3), Span::seconds(29)));
    }
}
