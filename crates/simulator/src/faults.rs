//! Faults as values: `Fault::on("CreateImage").nth(2).answer_lost()`.

mod armed;

use std::fmt;
use std::time::Duration;

pub use armed::Faults;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call(On, Effect),
    World(WorldFault),
}

/// What goes wrong in the world, whoever calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldFault {
    /// Every migration fails, with exit status 0.
    MigrationFails,
    /// New targets never pass a health check.
    TargetNeverHealthy(Which),
    /// Every image ends in the state `failed`.
    ImageFails,
    /// No capacity in a zone (or in all), of an instance type (or of all).
    NoCapacity {
        /// The zone that ran dry; `None` means every zone.
        zone: Option<String>,
        /// The type that ran out; `None` means every type.
        instance_type: Option<String>,
    },
    /// The agent of no new instance comes online.
    AgentNeverOnline,
    /// The nth launched instance (the first is 1) comes up impaired: it runs, and neither serves nor reports.
    ImpairedInstance {
        /// Which one.
        nth: u32,
    },
    /// The first member in service stops answering for good.
    MemberDies {
        /// How long after the first instant.
        at: Duration,
    },
    /// Every alarm goes to ALARM and stays there.
    AlarmRaised {
        /// How long after the first instant.
        at: Duration,
    },
}

/// Which new targets a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first to be registered.
    First,
    /// All of them.
    All,
}

/// The calls a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    operation: String,
    function: Option<String>,
    place: Option<String>,
    first: u32,
    last: u32,
}

/// What happens to a call that a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Refused with this code; nothing happened.
    Error(String),
    /// Refused with the service's own throttling code; nothing happened.
    Throttle,
    /// It happened, and the connection broke before the answer came.
    AnswerLost,
    /// It happened, and the answer came late.
    Slow(Duration),
    /// The caller's process died before the call was made.
    CrashBefore,
    /// It happened, and the caller's process died before the answer came.
    CrashAfter,
    /// Before the call is made, the caller's function is invoked once more, from beginning to end.
    InvokedTwice,
    /// Whoever invoked the function stopped for good before the call was made.
    OrchestratorDiesBefore,
    /// It happened, and then whoever invoked the function stopped for good.
    OrchestratorDiesAfter,
}

impl Fault {
    /// Strikes the first call of an operation, unless told otherwise.
    #[must_use]
    pub fn on(operation: &str) -> On {
        On { operation: operation.to_owned(), function: None, place: None, first: 1, last: 1 }
    }

    /// Something wrong with the world.
    #[must_use]
    pub fn world(fault: WorldFault) -> Fault {
        Fault(Kind::World(fault))
    }

    /// What it does to a call; nothing for a fault of the world.
    #[must_use]
    pub fn effect(&self) -> Option<&Effect> {
        match &self.0 {
            Kind::Call(_, effect) => Some(effect),
            Kind::World(_) => None,
        }
    }
}

impl On {
    /// Strikes the nth matching call; the first is 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> On {
        self.first = nth;
        self.last = nth;
        self
    }

    /// Strikes this many matching calls in a row, from the one already chosen on.
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

    /// Counts and strikes the calls of one function only.
    #[must_use]
    pub fn by(mut self, function: &str) -> On {
        self.function = Some(function.to_owned());
        self
    }

    /// Counts and strikes the calls of processes in one place only; see [`Simulator::process`](crate::Simulator::process).
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

    /// The call is throttled, in its service's own words, and has no effect.
    #[must_use]
    pub fn throttle(self) -> Fault {
        Fault(Kind::Call(self, Effect::Throttle))
    }

    /// The call takes effect; its answer is lost with the connection.
    #[must_use]
    pub fn answer_lost(self) -> Fault {
        Fault(Kind::Call(self, Effect::AnswerLost))
    }

    /// The call takes effect; its answer comes this much later.
    #[must_use]
    pub fn slow(self, by: Duration) -> Fault {
        Fault(Kind::Call(self, Effect::Slow(by)))
    }

    /// The process that calls dies before the call is made.
    #[must_use]
    pub fn crash_before(self) -> Fault {
        Fault(Kind::Call(self, Effect::CrashBefore))
    }

    /// The call takes effect; the process that called dies before it has the answer.
    #[must_use]
    pub fn crash_after(self) -> Fault {
        Fault(Kind::Call(self, Effect::CrashAfter))
    }

    /// The function that is about to call is invoked once more, and runs from beginning to end before the call is made.
    #[must_use]
    pub fn invoked_twice(self) -> Fault {
        Fault(Kind::Call(self, Effect::InvokedTwice))
    }

    /// Before the call is made, whoever invoked the function stops for good, and the function with it.
    #[must_use]
    pub fn orchestrator_dies_before(self) -> Fault {
        Fault(Kind::Call(self, Effect::OrchestratorDiesBefore))
    }

    /// The call takes effect; whoever invoked the function never does anything again, nor does the function.
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
            WorldFault::AlarmRaised { at } => write!(f, "an alarm rings after {at:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_what_it_is() {
        let read = |fault: Fault| fault.to_string();
        assert_eq!(read(Fault::on("CreateImage").nth(2).answer_lost()), "CreateImage #2: answer lost");
        assert_eq!(read(Fault::on("A").by("f").always().error("X")), "A by f #1..: error X");
        assert_eq!(read(Fault::world(WorldFault::MigrationFails)), "migration fails");
    }
}
