//! Faults as values: `Fault::on("CreateImage").nth(2).answer_lost()`.

mod armed;

use std::fmt;
use std::time::Duration;

pub use armed::Faults;

/// One fault: at calls, or in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call(On, Effect),
    World(WorldFault),
}

/// A world fault, which no call causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldFault {
    /// Every migration fails, with exit status 0.
    MigrationFails,
    /// New targets fail every health check.
    TargetNeverHealthy(Which),
    /// Every image ends in the state `failed`.
    ImageFails,
    /// A zone, or every zone, has no capacity for an instance type, or for any.
    NoCapacity {
        /// The zone without capacity; `None` means every zone.
        zone: Option<String>,
        /// The instance type without capacity; `None` means every type.
        instance_type: Option<String>,
    },
    /// The agents of new instances never come online.
    AgentNeverOnline,
    /// The nth launched instance comes up impaired: it runs, but neither serves nor reports.
    ImpairedInstance {
        /// Which launched instance; the first is 1.
        nth: u32,
    },
    /// The first member in service dies: it runs, but never answers again.
    MemberDies {
        /// When, since the start.
        at: Duration,
    },
    /// Every alarm enters the `ALARM` state and stays there.
    AlarmRaised {
        /// When, since the start.
        at: Duration,
    },
}

/// The new targets that a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first target to be registered.
    First,
    /// All new targets.
    All,
}

/// The calls that a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    operation: String,
    function: Option<String>,
    place: Option<String>,
    first: u32,
    last: u32,
}

/// What a fault does to a call that it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The call is refused with this error code and has no effect.
    Error(String),
    /// The call is refused with the service's own throttling code and has no effect.
    Throttle,
    /// The call takes effect, and the connection breaks before the answer arrives.
    AnswerLost,
    /// The call takes effect, and its answer arrives this much later.
    Slow(Duration),
    /// The caller's process dies before the call is made.
    CrashBefore,
    /// The call takes effect, and the caller's process dies before the answer arrives.
    CrashAfter,
    /// Before the call is made, the function is invoked a second time and runs to its end.
    InvokedTwice,
    /// The orchestrator that invoked the function dies before the call is made.
    OrchestratorDiesBefore,
    /// The call takes effect, and then the orchestrator that invoked the function dies.
    OrchestratorDiesAfter,
}

impl Fault {
    /// The calls of an operation: the first one, unless `nth`, `times` or `always` selects others.
    #[must_use]
    pub fn on(operation: &str) -> On {
        On { operation: operation.to_owned(), function: None, place: None, first: 1, last: 1 }
    }

    /// A world fault.
    #[must_use]
    pub fn world(fault: WorldFault) -> Fault {
        Fault(Kind::World(fault))
    }

    /// What the fault does to a call. `None` for a world fault.
    #[must_use]
    pub fn effect(&self) -> Option<&Effect> {
        match &self.0 {
            Kind::Call(_, effect) => Some(effect),
            Kind::World(_) => None,
        }
    }
}

impl On {
    /// Strikes the nth matching call. The first is 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> On {
        self.first = nth;
        self.last = nth;
        self
    }

    /// Strikes this many matching calls in a row, beginning with the selected one.
    #[must_use]
    pub fn times(mut self, times: u32) -> On {
        self.last = self.first.saturating_add(times.saturating_sub(1));
        self
    }

    /// Strikes every matching call.
    #[must_use]
    pub fn always(self) -> On {
        self.times(u32::MAX)
    }

    /// Counts and strikes only the calls of one function.
    #[must_use]
    pub fn by(mut self, function: &str) -> On {
        self.function = Some(function.to_owned());
        self
    }

    /// Counts and strikes only the calls of processes in one place. See
    /// [`Simulator::process`](crate::Simulator::process).
    #[must_use]
    pub fn at(mut self, place: &str) -> On {
        self.place = Some(place.to_owned());
        self
    }

    /// The call is refused with `code` and has no effect.
    #[must_use]
    pub fn error(self, code: &str) -> Fault {
        Fault(Kind::Call(self, Effect::Error(code.to_owned())))
    }

    /// The call is refused with its service's own throttling error and has no effect.
    #[must_use]
    pub fn throttle(self) -> Fault {
        Fault(Kind::Call(self, Effect::Throttle))
    }

    /// The call takes effect, and its answer is lost with the connection.
    #[must_use]
    pub fn answer_lost(self) -> Fault {
        Fault(Kind::Call(self, Effect::AnswerLost))
    }

    /// The call takes effect, and its answer arrives this much later.
    #[must_use]
    pub fn slow(self, by: Duration) -> Fault {
        Fault(Kind::Call(self, Effect::Slow(by)))
    }

    /// The calling process dies before the call is made.
    #[must_use]
    pub fn crash_before(self) -> Fault {
        Fault(Kind::Call(self, Effect::CrashBefore))
    }

    /// The call takes effect, and the calling process dies before the answer arrives.
    #[must_use]
    pub fn crash_after(self) -> Fault {
        Fault(Kind::Call(self, Effect::CrashAfter))
    }

    /// Before the call is made, the function is invoked a second time and runs to its end.
    #[must_use]
    pub fn invoked_twice(self) -> Fault {
        Fault(Kind::Call(self, Effect::InvokedTwice))
    }

    /// The orchestrator that invoked the function dies before the call is made. The function does nothing more.
    #[must_use]
    pub fn orchestrator_dies_before(self) -> Fault {
        Fault(Kind::Call(self, Effect::OrchestratorDiesBefore))
    }

    /// The call takes effect, and then the orchestrator that invoked the function dies. The function does nothing more.
    #[must_use]
    pub fn orchestrator_dies_after(self) -> Fault {
        Fault(Kind::Call(self, Effect::OrchestratorDiesAfter))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Call(on, effect) => write!(f, "{on}: {effect}"),
            Kind::World(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(function) = &self.function {
            write!(f, " by {function}")?;
        }
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, " #{first}"),
            (first, u32::MAX) => write!(f, " #{first}.."),
            (first, last) => write!(f, " #{first}..{last}"),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Error(code) => write!(f, "error {code}"),
            Effect::Throttle => write!(f, "throttle"),
            Effect::AnswerLost => write!(f, "answer lost"),
            Effect::Slow(by) => write!(f, "slow by {by:?}"),
            Effect::CrashBefore => write!(f, "crash before"),
            Effect::CrashAfter => write!(f, "crash after"),
            Effect::InvokedTwice => write!(f, "invoked twice"),
            Effect::OrchestratorDiesBefore => write!(f, "orchestrator dies before"),
            Effect::OrchestratorDiesAfter => write!(f, "orchestrator dies after"),
        }
    }
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorldFault::MigrationFails => write!(f, "migration fails"),
            WorldFault::TargetNeverHealthy(Which::First) => write!(f, "first new target never healthy"),
            WorldFault::TargetNeverHealthy(Which::All) => write!(f, "new targets never healthy"),
            WorldFault::ImageFails => write!(f, "image fails"),
            WorldFault::NoCapacity { zone, instance_type } => write!(
                f,
                "no capacity for {} in {}",
                instance_type.as_deref().unwrap_or("any type"),
                zone.as_deref().unwrap_or("any zone")
            ),
            WorldFault::AgentNeverOnline => write!(f, "agents never online"),
            WorldFault::ImpairedInstance { nth } => write!(f, "launched instance #{nth} impaired"),
            WorldFault::MemberDies { at } => write!(f, "a member dies after {at:?}"),
            WorldFault::AlarmRaised { at } => write!(f, "an alarm is raised after {at:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_displayed_in_words() {
        let read = |fault: Fault| fault.to_string();
        assert_eq!(read(Fault::on("CreateImage").nth(2).answer_lost()), "CreateImage #2: answer lost");
        assert_eq!(read(Fault::on("A").by("f").always().error("X")), "A by f #1..: error X");
        assert_eq!(read(Fault::world(WorldFault::MigrationFails)), "migration fails");
    }
}
