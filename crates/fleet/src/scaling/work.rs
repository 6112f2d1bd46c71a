//! How much work there was: the CPU of each minute times the members that shared it.

use super::SeenCpu;
use super::reading::{Reading, is_percent};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// What is older says nothing of now: five minutes are a period of EC2's basic monitoring, and CloudWatch's delay comes on top.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html>
const STALE: SignedDuration = SignedDuration::from_mins(8);
/// How far back members were needed that stay. `rehearse scaling` on real and made traces says: less gives up what the next
/// swing needs, and more pays for what has passed.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(10);
/// So many points in a row must ask for more. One alone is as often a swing that has passed before a member is launched.
const LASTING: usize = 2;
/// Between two points that are longer apart the work is unknown: a period of basic monitoring.
const LONGEST_GAP: SignedDuration = SignedDuration::from_mins(5);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What the points say, the latest last.
pub(super) struct Work(Vec<SeenCpu>);

impl Work {
    /// Reads the points that tell of the size that they speak of: not those of a minute in which a member came into
    /// service, nor those of members that have left since.
    pub(super) fn of(reading: &Reading, now: Timestamp) -> Self {
        let oldest = earlier(now, LOOK_BACK);
        let usable = |at: Timestamp| {
            let end = at.checked_add(MINUTE).unwrap_or(Timestamp::MAX);
            let came_in = |since: Timestamp| at < since && since < end;
            oldest <= at
                && at <= now
                && reading.last_in.is_none_or(|gone| gone <= at)
                && !reading.members.iter().filter_map(|one| one.in_service).any(came_in)
        };
        let mut seen = BTreeMap::new();
        for point in reading.cpu.iter().filter(|point| is_percent(point.percent) && usable(point.at)) {
            let shared_by = reading.members.iter().filter(|one| one.in_service.is_some_and(|since| since <= point.at));
            let in_service = u32::try_from(shared_by.count()).unwrap_or(u32::MAX);
            // Of two points of one minute the higher counts, whichever comes first.
            let percent = seen.get(&point.at).map_or(point.percent, |other: &SeenCpu| other.percent.max(point.percent));
            seen.insert(point.at, SeenCpu { at: point.at, percent, in_service });
        }
        Self(seen.into_values().filter(|seen| seen.in_service > 0).collect())
    }

    pub(super) fn seen(&self) -> &[SeenCpu] {
        &self.0
    }

    /// The least of the latest points, unless they are too old.
    pub(super) fn lasting(&self, now: Timestamp) -> Option<SeenCpu> {
        let recent = self.0.iter().rev().take_while(|seen| now.duration_since(seen.at) <= STALE);
        recent.take(LASTING).copied().min_by(|one, other| one.work().total_cmp(&other.work()))
    }

    /// The most of the last ten minutes, if it is known all along.
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
