//! The faults of one rehearsal, armed and waiting for their calls.

use std::time::Duration;

use super::{Effect, Fault, Kind, On, Which, WorldFault};
use crate::Caller;

/// The faults of one rehearsal, and how many matching calls each has seen. Ask it about every call, at the simulated
/// AWS or at a proxy in front of another service.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    calls: Vec<Armed>,
    world: Vec<WorldFault>,
}

/// A fault that waits for its calls.
#[derive(Clone, Debug)]
struct Armed {
    on: On,
    effect: Effect,
    seen: u32,
    struck: bool,
}

impl Faults {
    /// Arms faults that have seen no call yet.
    #[must_use]
    pub fn new(faults: Vec<Fault>) -> Faults {
        let mut armed = Faults::default();
        armed.add(faults);
        armed
    }

    /// Arms further faults. They have seen no call yet.
    pub(crate) fn add(&mut self, faults: Vec<Fault>) {
        for Fault(kind) in faults {
            match kind {
                Kind::Call(on, effect) => self.calls.push(Armed { on, effect, seen: 0, struck: false }),
                Kind::World(fault) => self.world.push(fault),
            }
        }
    }

    /// Counts one call and returns the effect of the first fault that strikes it.
    pub fn strike(&mut self, operation: &str, caller: &Caller, place: Option<&str>) -> Option<Effect> {
        let mut struck = None;
        for Armed { on, effect, seen, struck: this } in &mut self.calls {
            let matches = on.operation == operation
                && on.function.as_ref().is_none_or(|name| *name == caller.function)
                && on.place.as_deref().is_none_or(|wanted| Some(wanted) == place);
            if !matches {
                continue;
            }
            *seen += 1;
            if struck.is_none() && (on.first..=on.last).contains(seen) {
                *this = true;
                struck = Some(effect.clone());
            }
        }
        struck
    }

    /// No fault strikes a call from now on.
    pub(crate) fn disarm(&mut self) {
        for armed in &mut self.calls {
            // This range is empty.
            (armed.on.first, armed.on.last) = (1, 0);
        }
    }

    /// Whether each call fault has struck at least once, in the order of the faults.
    pub fn struck(&self) -> impl Iterator<Item = bool> {
        self.calls.iter().map(|armed| armed.struck)
    }

    pub(crate) fn migration_fails(&self) -> bool {
        self.world.contains(&WorldFault::MigrationFails)
    }

    pub(crate) fn image_fails(&self) -> bool {
        self.world.contains(&WorldFault::ImageFails)
    }

    pub(crate) fn agent_never_online(&self) -> bool {
        self.world.contains(&WorldFault::AgentNeverOnline)
    }

    /// Whether a fault has raised the alarms by `now`.
    pub(crate) fn alarm_raised(&self, now: Duration) -> bool {
        self.world.iter().any(|fault| matches!(fault, WorldFault::AlarmRaised { at } if *at <= now))
    }

    /// Whether the nth launched instance is impaired.
    pub(crate) fn impaired(&self, nth: u32) -> bool {
        self.world.contains(&WorldFault::ImpairedInstance { nth })
    }

    /// Whether the nth newly registered target never passes a check.
    pub(crate) fn never_healthy(&self, nth: u32) -> bool {
        self.world.iter().any(|fault| match fault {
            WorldFault::TargetNeverHealthy(Which::All) => true,
            WorldFault::TargetNeverHealthy(Which::First) => nth == 1,
            _ => false,
        })
    }

    pub(crate) fn no_capacity(&self, in_zone: &str, of_type: &str) -> bool {
        self.world.iter().any(|fault| match fault {
            WorldFault::NoCapacity { zone, instance_type } => {
                zone.as_ref().is_none_or(|zone| zone == in_zone)
                    && instance_type.as_ref().is_none_or(|name| name == of_type)
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(fault: Fault, calls: &[(&str, &str)]) -> Vec<bool> {
        let mut faults = Faults::new(vec![fault]);
        let caller = |function: &str| Caller { run: String::new(), function: function.to_owned() };
        calls.iter().map(|(operation, function)| faults.strike(operation, &caller(function), None).is_some()).collect()
    }

    #[test]
    fn a_fault_strikes_only_the_calls_that_it_names() {
        let calls = [("A", "f"), ("B", "f"), ("A", "g"), ("A", "f"), ("A", "f")];
        assert_eq!(struck(Fault::on("A").throttle(), &calls), [true, false, false, false, false]);
        assert_eq!(struck(Fault::on("A").nth(2).times(2).throttle(), &calls), [false, false, true, true, false]);
        assert_eq!(struck(Fault::on("A").nth(2).by("f").throttle(), &calls), [false, false, false, true, false]);
        assert_eq!(struck(Fault::on("A").always().throttle(), &calls), [true, false, true, true, true]);
    }
}
