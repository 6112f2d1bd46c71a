//! The release of a fleet from a frozen or dead run, without touching AWS resources.

use crate::{FleetRecord, IllegalMove, Outcome, Phase, Run, RunId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the record of an ended run is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Scaling runs are many, and each scaling decision reads all records that are kept.
const SCALING_KEPT: SignedDuration = SignedDuration::from_hours(24 * 14);

/// Who released a fleet from a run, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The operator's ARN.
    pub by: String,
    /// The time of the release.
    pub at: Timestamp,
}

impl Run {
    /// Whether the run has ended for good: nothing resumes it. A frozen run has not, unless an operator released it.
    pub fn is_over(&self) -> bool {
        match self.phase {
            Phase::Ended(Outcome::Frozen) => self.released.is_some(),
            Phase::Ended(_) => true,
            _ => false,
        }
    }

    /// When DynamoDB may delete the record of a run that is over: 400 days after its end, and 14 days for a scaling run.
    pub fn expiry(&self) -> Option<Timestamp> {
        let kept = if self.workflow.scales() { SCALING_KEPT } else { KEPT };
        self.ended.and_then(|ended| ended.saturating_add(kept).ok())
    }
}

impl FleetRecord {
    /// Whether `run` keeps other runs from the fleet: it holds the lock, or it is the scale-out that joined the run that did.
    pub fn is_blocked_by(&self, run: &RunId) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.run == *run) || self.joining.as_ref() == Some(run)
    }

    /// When a run that blocks the fleet must have ended. A scale-out that joined another run holds no lock, so its own limits
    /// say it. `None` if the lock is of an earlier release and has no lease.
    pub fn lease_of(&self, run: &Run) -> Option<Timestamp> {
        match self.lock.as_ref().filter(|lock| lock.run == run.run.id) {
            Some(lock) => lock.lease,
            None => Some(run.lease_end(run.resumed.unwrap_or(run.started))),
        }
    }

    /// Ends `run` as frozen and released, and frees the fleet of it. The golden image and the kept images stay as they are.
    ///
    /// # Errors
    /// Refused if the run has ended with another outcome; then nothing changes.
    pub fn release(&mut self, run: &mut Run, release: Release) -> Result<(), IllegalMove> {
        run.move_to(Phase::Ended(Outcome::Frozen))?;
        run.ended.get_or_insert(release.at);
        run.released = Some(release);
        run.expires = run.expiry();
        self.lock.take_if(|lock| lock.run == run.run.id);
        self.joining.take_if(|joining| *joining == run.run.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Admission, Before, Config, Fingerprint, Order, RunRef, Span};

    fn now() -> Timestamp {
        "2026-01-04T03:00:00Z".parse().unwrap()
    }

    fn release() -> Release {
        Release { by: "arn:aws:iam::123456789012:user/operator".to_owned(), at: now() }
    }

    /// A fleet and a run that holds its lock.
    fn held(order: Order) -> (FleetRecord, Run) {
        let config = Config::from_toml(include_str!("../../../samplconfig.toml")).unwrap();
        let mut fleet = FleetRecord::new(config.clone());
        let before = Before { members: Vec::new(), golden: fleet.golden.clone(), drain: Span::seconds(300) };
        let fingerprint = Fingerprint::of([0; 32]);
        let admission = Admission { before, version: fleet.version(), size: 1, source: None, fingerprint };
        let id = RunRef { fleet: fleet.name().clone(), id: "run-1".parse().unwrap() };
        let run = Run::begin(id, order, config, &admission, fleet.next_fence(), now());
        fleet.lock(&run, now());
        (fleet, run)
    }

    #[test]
    fn a_release_ends_the_run_as_frozen_and_frees_the_lock() {
        let (mut fleet, mut run) = held(Order::Upgrade(vec!["1.4.14".parse().unwrap()]));
        assert!(fleet.is_blocked_by(&run.run.id) && !run.is_over());
        let before = fleet.clone();
        fleet.release(&mut run, release()).unwrap();
        assert_eq!((&run.phase, run.ended), (&Phase::Ended(Outcome::Frozen), Some(now())));
        assert!(run.is_over() && run.expires.is_some());
        assert!(!fleet.is_blocked_by(&run.run.id));
        assert_eq!(fleet, FleetRecord { lock: None, ..before });
    }

    #[test]
    fn a_released_run_keeps_why_and_when_it_froze() {
        let (mut fleet, mut run) = held(Order::Upgrade(vec!["1.4.14".parse().unwrap()]));
        let froze = now() - SignedDuration::from_hours(1);
        run.move_to(Phase::Ended(Outcome::Frozen)).unwrap();
        (run.ended, run.failure) = (Some(froze), Some("Failed: by a test".to_owned()));
        assert!(!run.is_over());
        fleet.release(&mut run, release()).unwrap();
        assert_eq!((run.ended, run.failure.as_deref()), (Some(froze), Some("Failed: by a test")));
        assert_eq!(run.released, Some(release()));
    }

    #[test]
    fn the_release_of_a_scale_out_that_joined_leaves_the_lock_to_the_run_that_it_joined() {
        let (mut fleet, upgrade) = held(Order::Upgrade(vec!["1.4.14".parse().unwrap()]));
        let (_, mut scale_out) = held(Order::ScaleOut(1));
        scale_out.run.id = "out-1".parse().unwrap();
        scale_out.joins = Some(upgrade.run.id.clone());
        fleet.joining = Some(scale_out.run.id.clone());
        assert_eq!(fleet.lease_of(&scale_out), Some(scale_out.lease_end(now())));
        fleet.release(&mut scale_out, release()).unwrap();
        assert!(fleet.is_blocked_by(&upgrade.run.id) && !fleet.is_blocked_by(&scale_out.run.id));
        assert_eq!(fleet.joining, None);
    }

    #[test]
    fn a_run_that_ended_otherwise_is_not_released() {
        let (mut fleet, mut run) = held(Order::Upgrade(vec!["1.4.14".parse().unwrap()]));
        run.roll_back(now()).unwrap();
        run.move_to(Phase::Ended(Outcome::RolledBack)).unwrap();
        let before = (fleet.clone(), run.clone());
        fleet.release(&mut run, release()).unwrap_err();
        assert_eq!((fleet, run), before);
    }
}
