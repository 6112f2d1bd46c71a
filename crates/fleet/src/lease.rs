//! How long a run can go on: by then somebody who goes on with it has brought it to an end.

use crate::{Run, Span};
use jiff::{SignedDuration, Timestamp};

/// For the looks that wait for nothing, the retries of those that stumble, and clocks that differ.
const SLACK: Span = Span::minutes(120);

impl Run {
    /// When the run is over at the latest, forward and back again, by the limits of its waits.
    pub fn lease_end(&self, now: Timestamp) -> Timestamp {
        let (limits, upgrade) = (&self.config.limits, &self.config.upgrade);
        if self.workflow.scales() {
            // Once more for those that are replaced.
            let once = [limits.launch, limits.healthy, limits.healthy, limits.delete + self.drain];
            return after(now, once.into_iter().chain(once).chain([limits.delete + self.drain, SLACK]));
        }
        let forward = [
            limits.launch,
            limits.backup,
            limits.stop,
            limits.image,
            limits.launch,
            limits.delete + self.drain,
            // Who joined, and as many members more.
            limits.launch + limits.healthy,
            limits.launch + limits.healthy,
            limits.delete + self.drain,
            limits.launch,
            // Canary, all, the old out, and the last look.
            limits.healthy,
            limits.healthy,
            upgrade.canary_bake,
            limits.healthy,
            upgrade.bake,
            limits.approval,
            limits.healthy + self.drain,
        ];
        let hops = std::iter::repeat_n(limits.configure, self.hops.len());
        let back = [limits.healthy, limits.healthy, limits.delete + self.drain, SLACK];
        after(now, forward.into_iter().chain(hops).chain(back))
    }
}

fn after(now: Timestamp, waits: impl Iterator<Item = Span>) -> Timestamp {
    let longest: i64 = waits.map(|span| i64::from(span.as_secs())).sum();
    now.saturating_add(SignedDuration::from_secs(longest)).unwrap_or(Timestamp::MAX)
}
