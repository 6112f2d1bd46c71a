//! The work of a fleet: the CPU of each minute times the number of members that shared it.

use super::SeenCpu;
use super::reading::{Reading, is_percent};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// An older data point does not describe the present: a period of EC2's basic monitoring is five minutes, and CloudWatch adds a
/// delay.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html>
const STALE: SignedDuration = SignedDuration::from_mins(8);
/// The fleet keeps the members that it needed in this time. `rehearse scaling` on real and generated traces showed that a shorter
/// time removes members that the next swing needs, and that a longer time pays for members that are no longer needed.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(10);
/// This many consecutive data points must require more members. A single point is often a swing that ends before a member is
/// launched.
const LASTING: usize = 2;
/// The work is unknown between two data points that are further apart than a period of basic monitoring.
const LONGEST_GAP: SignedDuration = SignedDuration::from_mins(5);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The data points that describe the fleet's work, the latest last.
pub(super) struct Work(Vec<SeenCpu>);

impl Work {
    /// Selects the data points whose number of members is known. A point does not count if a member entered service in its
    /// minute, or if members were removed after it.
    pub(super) fn of(reading: &Reading, now: Timestamp) -> Self {
        let oldest = earlier(now, LOOK_BACK);
        let usable = |at: Timestamp| {
            let end = at.checked_add(MINUTE).unwrap_or(Timestamp::MAX);
            let entered = |since: Timestamp| at < since && since < end;
            oldest <= at
                && at <= now
                && reading.last_in.is_none_or(|gone| gone <= at)
                && !reading.members.iter().filter_map(|one| one.in_service).any(entered)
        };
        let mut seen = BTreeMap::new();
        for point in reading.cpu.iter().filter(|point| is_percent(point.percent) && usable(point.at)) {
            let shared_by = reading.members.iter().filter(|one| one.in_service.is_some_and(|since| since <= point.at));
            let in_service = u32::try_from(shared_by.count()).unwrap_or(u32::MAX);
            // Of two data points of one minute, the higher one counts.
            let percent = seen.get(&point.at).map_or(point.percent, |other: &SeenCpu| other.percent.max(point.percent));
            seen.insert(point.at, SeenCpu { at: point.at, percent, in_service });
        }
        Self(seen.into_values().filter(|seen| seen.in_service > 0).collect())
    }

    pub(super) fn seen(&self) -> &[SeenCpu] {
        &self.0
    }

    /// The smallest of the latest data points, unless they are too old.
    pub(super) fn lasting(&self, now: Timestamp) -> Option<SeenCpu> {
        let recent = self.0.iter().rev().take_while(|seen| now.duration_since(seen.at) <= STALE);
        recent.take(LASTING).copied().min_by(|one, other| one.work().total_cmp(&other.work()))
    }

    /// The largest work of the last ten minutes, if they have no gap.
    pub(super) fn most(&self, now: Timestamp) -> Option<f64> {
        let start = earlier(now, LOOK_BACK);
        let times: Vec<_> = std::iter::once(start).chain(self.0.iter().map(|seen| seen.at)).collect();
        let known = times.windows(2).all(|pair| pair[1].duration_since(pair[0]) <= LONGEST_GAP);
        self.lasting(now)?;
        known.then(|| self.0.iter().map(|seen| seen.work()).fold(0.0, f64::max))
    }
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
