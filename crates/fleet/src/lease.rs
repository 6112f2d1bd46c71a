//! The lease of a run: the time by which it must have ended.

use crate::{Run, Span};
use jiff::{SignedDuration, Timestamp};

/// Time for steps that do not wait, for retries after transient errors, and for clocks that differ.
const SLACK: Span = Span::minutes(120);

impl Run {
    /// The latest time at which the run ends: the sum of the limits of its forward path and of its rollback path.
    pub fn lease_end(&self, now: Timestamp) -> Timestamp {
        let (limits, upgrade) = (&self.config.limits, &self.config.upgrade);
        if self.workflow.scales() {
            // Twice, because a scale-out replaces abandoned members once.
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
            // The members of scale-outs that joined, and as many staying members again.
            limits.launch + limits.healthy,
            limits.launch + limits.healthy,
            limits.delete + self.drain,
            limits.launch,
            // The canary enters service, all members enter service, both bake, and the leaving members leave before the commit.
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
