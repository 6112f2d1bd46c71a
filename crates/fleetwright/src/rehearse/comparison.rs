//! A fault that a run must survive, compared with the same rehearsal without it: both must end alike.

use super::{Ending, FaultSpec, RehearsalError, RehearsalSpec, Rehearsed, rehearse};
use asl::Event;
use simulator::invariants::Violation;

/// The invariant that a fault which a run must survive changes neither how the run ends nor how many members are then in
/// service.
const CHANGES_NO_OUTCOME: &str = "survived-fault-changes-no-outcome";

/// Rehearses the specification. If its last fault is its only one that a run must survive, it also rehearses without that
/// fault and requires the same end, as the fault search does.
pub(super) fn rehearse_and_compare(
    spec: &RehearsalSpec,
    observer: &mut dyn FnMut(&Event),
) -> Result<Rehearsed, RehearsalError> {
    let mut rehearsed = rehearse(spec, observer)?;
    if let Some((last, others)) = spec.faults.split_last()
        && last.must_be_survived()
        && !others.iter().any(FaultSpec::must_be_survived)
    {
        let without = spec.clone().with_faults(others.to_vec());
        rehearsed.must_end_like(&rehearse(&without, &mut |_| {})?);
    }
    Ok(rehearsed)
}

impl Rehearsed {
    /// Adds the invariant that this rehearsal ends like the one `without` the fault, and whether it holds.
    fn must_end_like(&mut self, without: &Self) {
        let end = |one: &Self| (one.outcome, one.capacity.series.last().map_or(0, |(_, members)| *members));
        self.invariants.checked.push(CHANGES_NO_OUTCOME);
        let violation = unlike(end(self), end(without), self.reason.as_deref());
        self.invariants.violated.extend(violation.map(super::outcome::violation_text));
    }
}

/// The violation if a rehearsal ended otherwise than expected, or with another number of members in service.
pub(super) fn unlike(ended: (Ending, u32), expected: (Ending, u32), reason: Option<&str>) -> Option<Violation> {
    let ((ending, in_service), (expected_ending, members)) = (ended, expected);
    let reason = reason.unwrap_or("no reason given");
    let detail = || {
        format!(
            "it ended as {ending:?} with {in_service} in service instead of {expected_ending:?} with {members}: {reason}"
        )
    };
    (ended != expected).then(|| Violation { invariant: CHANGES_NO_OUTCOME, detail: detail() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;
    use crate::rehearse::Goal;
    use fleet::Config;

    #[test]
    fn a_fault_that_must_be_survived_and_is_not_violates_an_invariant() {
        let config = Config::from_toml(include_str!("../../../../samplconfig.toml")).unwrap();
        let goal = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
        let spec = RehearsalSpec::new(config, goal).in_fast_world();
        let run = |faults: &[&str]| {
            let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
            rehearse(&spec.clone().with_faults(faults), &mut |_| {}).unwrap()
        };
        let (mut upgraded, mut rolled_back) = (run(&[]), run(&["migrate-fails"]));
        let same = upgraded.clone();
        upgraded.must_end_like(&same);
        assert_eq!((upgraded.exit(), upgraded.invariants.violated.as_slice()), (Exit::Done, &[][..]));
        rolled_back.must_end_like(&upgraded);
        let [violated] = rolled_back.invariants.violated.as_slice() else { panic!("{:?}", rolled_back.invariants) };
        assert!(violated.starts_with("survived-fault-changes-no-outcome: it ended as RolledBack with 3"), "{violated}");
        assert_eq!(rolled_back.exit(), Exit::Error);
    }
}
