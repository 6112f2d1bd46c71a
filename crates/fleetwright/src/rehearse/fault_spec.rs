//! What can go wrong in a rehearsal, as the option `--fault` names it.
//!
//! A fault at a call site is `SITE/KIND`. The site is `STATE/OPERATION#NTH`: the state's name in lowercase with hyphens, the
//! operation, and the number of the state's call of that operation. `#NTH..` strikes that call and all later ones.

use simulator::faults::{Fault, Which, WorldFault};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultSpec {
    /// A fault at a call site, or at the call site and all later ones of the same state and operation.
    Call {
        /// The call site.
        site: Site,
        /// Whether the fault also strikes all later calls of the same state and operation.
        and_after: bool,
        /// What happens to the call.
        kind: CallKind,
    },
    /// A world fault, which no call causes.
    World(WorldKind),
}

/// A call site: one AWS call that one state makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The name of the state whose step makes the call, in lowercase with hyphens.
    pub state: String,
    /// The operation that it calls.
    pub operation: String,
    /// The number of the state's call of the operation, from 1.
    pub nth: u32,
}

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// AWS refuses the call for good. It has no effect.
    Error,
    /// AWS throttles the call. It has no effect.
    Throttle,
    /// The call takes effect, and the connection breaks before the answer.
    AnswerLost,
    /// The function's process dies before the call.
    CrashBefore,
    /// The call takes effect, and the function's process dies before the answer.
    CrashAfter,
    /// Lambda invokes the function once more, and that invocation ends before this one makes the call.
    InvokedTwice,
    /// The execution stops for good before the call, and an operator starts another.
    OrchestratorDiesBefore,
    /// The call takes effect, the execution stops for good, and an operator starts another.
    OrchestratorDiesAfter,
}

/// What a world fault does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorldKind {
    /// `migrate` fails on the builder and exits with status 0.
    MigrateFails,
    /// The target of the first staying member never becomes healthy.
    UnhealthyTarget,
    /// No target of a staying member ever becomes healthy.
    UnhealthyTargets,
    /// The image of the builder, or of the source member, ends in the state `failed`.
    ImageFails,
    /// No zone has capacity for the staying members, or the named zone has none.
    NoCapacity(Option<String>),
    /// No zone has capacity for the builder.
    NoBuilder,
    /// The SSM agent of no launched instance comes online.
    AgentSilent,
    /// The instance with this number in launch order runs, and neither serves nor reports.
    Impaired(u32),
    /// The first member in service dies, this many seconds after the first instant.
    MemberDies(u32),
    /// An alarm enters the `ALARM` state, this many seconds after the first instant.
    Alarm(u32),
    /// Two executions start at once.
    TwoStarts,
}

impl CallKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Error,
        Self::Throttle,
        Self::AnswerLost,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::InvokedTwice,
        Self::OrchestratorDiesBefore,
        Self::OrchestratorDiesAfter,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Throttle => "throttle",
            Self::AnswerLost => "answer-lost",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::InvokedTwice => "invoked-twice",
            Self::OrchestratorDiesBefore => "orchestrator-dies-before",
            Self::OrchestratorDiesAfter => "orchestrator-dies-after",
        }
    }

    /// Whether a run must end as without the fault, if the fault strikes one call.
    pub(super) fn must_be_survived(self) -> bool {
        !matches!(self, Self::Error | Self::OrchestratorDiesBefore | Self::OrchestratorDiesAfter)
    }
}

impl WorldKind {
    /// How long after the first instant the fault strikes, if it strikes at a set time.
    pub(super) fn at(&self) -> Option<Duration> {
        match self {
            Self::MemberDies(seconds) | Self::Alarm(seconds) => Some(Duration::from_secs((*seconds).into())),
            _ => None,
        }
    }

    /// Its name on the command line, without its argument.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MigrateFails => "migrate-fails",
            Self::UnhealthyTarget => "unhealthy-target",
            Self::UnhealthyTargets => "unhealthy-targets",
            Self::ImageFails => "image-fails",
            Self::NoCapacity(_) => "no-capacity",
            Self::NoBuilder => "no-builder",
            Self::AgentSilent => "agent-silent",
            Self::Impaired(_) => "impaired",
            Self::MemberDies(_) => "member-dies",
            Self::Alarm(_) => "alarm",
            Self::TwoStarts => "two-starts",
        }
    }
}

impl FaultSpec {
    /// A fault that strikes one call.
    pub fn at(site: Site, kind: CallKind) -> Self {
        Self::Call { site, and_after: false, kind }
    }

    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call { kind, .. } => kind.name(),
            Self::World(kind) => kind.name(),
        }
    }

    /// The call site. None for a world fault.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::Call { site, .. } => Some(site),
            Self::World(_) => None,
        }
    }

    /// The simulator's fault at a call. None for a world fault.
    pub fn strikes(&self) -> Option<Fault> {
        let Self::Call { site, and_after, kind } = self else { return None };
        let on = Fault::on(&site.operation).at(&site.state).nth(site.nth);
        let on = if *and_after { on.times(u32::MAX) } else { on };
        Some(match kind {
            CallKind::Error => on.error("UnauthorizedOperation"),
            CallKind::Throttle => on.throttle(),
            CallKind::AnswerLost => on.answer_lost(),
            CallKind::CrashBefore => on.crash_before(),
            CallKind::CrashAfter => on.crash_after(),
            CallKind::InvokedTwice => on.invoked_twice(),
            CallKind::OrchestratorDiesBefore => on.orchestrator_dies_before(),
            CallKind::OrchestratorDiesAfter => on.orchestrator_dies_after(),
        })
    }

    /// Whether a run must end as without the fault.
    pub fn must_be_survived(&self) -> bool {
        matches!(self, Self::Call { kind, and_after: false, .. } if kind.must_be_survived())
    }

    /// The simulator's fault, given the instance types of members and builder. None for [`WorldKind::TwoStarts`], which the
    /// rehearsal itself brings about.
    pub(super) fn fault(&self, member_type: &str, builder_type: &str) -> Option<Fault> {
        let world = match self {
            Self::Call { .. } => return self.strikes(),
            Self::World(world) => world,
        };
        let seconds = |seconds: &u32| Duration::from_secs((*seconds).into());
        Some(Fault::world(match world {
            WorldKind::MigrateFails => WorldFault::MigrationFails,
            WorldKind::UnhealthyTarget => WorldFault::TargetNeverHealthy(Which::First),
            WorldKind::UnhealthyTargets => WorldFault::TargetNeverHealthy(Which::All),
            WorldKind::ImageFails => WorldFault::ImageFails,
            WorldKind::NoCapacity(zone) => {
                WorldFault::NoCapacity { zone: zone.clone(), instance_type: Some(member_type.to_owned()) }
            }
            WorldKind::NoBuilder => WorldFault::NoCapacity { zone: None, instance_type: Some(builder_type.to_owned()) },
            WorldKind::AgentSilent => WorldFault::AgentNeverOnline,
            WorldKind::Impaired(nth) => WorldFault::ImpairedInstance { nth: *nth },
            WorldKind::MemberDies(at) => WorldFault::MemberDies { at: seconds(at) },
            WorldKind::Alarm(at) => WorldFault::AlarmRaised { at: seconds(at) },
            WorldKind::TwoStarts => return None,
        }))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.state, self.operation, self.nth)
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { site, and_after, kind } => {
                write!(f, "{site}{}/{}", if *and_after { ".." } else { "" }, kind.name())
            }
            Self::World(kind) => {
                write!(f, "{}", kind.name())?;
                match kind {
                    WorldKind::NoCapacity(Some(zone)) => write!(f, "/{zone}"),
                    WorldKind::Impaired(n) | WorldKind::MemberDies(n) | WorldKind::Alarm(n) => write!(f, "/{n}"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl FromStr for FaultSpec {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, FaultSpecError> {
        let parts: Vec<_> = text.split('/').collect();
        let (name, about) = match parts.as_slice() {
            [state, call, kind] => return call_fault(state, call, kind),
            [name, about] => (*name, Some(*about)),
            [name] => (*name, None),
            _ => return Err(FaultSpecError::Unknown),
        };
        let number = || {
            let number = about.and_then(|about| about.parse().ok());
            number.ok_or_else(|| FaultSpecError::Number { name: name.to_owned() })
        };
        let world = match name {
            "no-capacity" => WorldKind::NoCapacity(about.map(str::to_owned)),
            "impaired" => WorldKind::Impaired(number()?),
            "member-dies" => WorldKind::MemberDies(number()?),
            "alarm" => WorldKind::Alarm(number()?),
            _ if about.is_some() => return Err(FaultSpecError::Unknown),
            "migrate-fails" => WorldKind::MigrateFails,
            "unhealthy-target" => WorldKind::UnhealthyTarget,
            "unhealthy-targets" => WorldKind::UnhealthyTargets,
            "image-fails" => WorldKind::ImageFails,
            "no-builder" => WorldKind::NoBuilder,
            "agent-silent" => WorldKind::AgentSilent,
            "two-starts" => WorldKind::TwoStarts,
            _ => return Err(FaultSpecError::Unknown),
        };
        Ok(Self::World(world))
    }
}

fn call_fault(state: &str, call: &str, kind: &str) -> Result<FaultSpec, FaultSpecError> {
    let wrong_site = || FaultSpecError::CallSite { kind: kind.to_owned() };
    let (operation, nth) = call.split_once('#').ok_or_else(wrong_site)?;
    let (nth, and_after) = nth.strip_suffix("..").map_or((nth, false), |nth| (nth, true));
    let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(wrong_site)?;
    let kind = CallKind::ALL.into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or(FaultSpecError::Unknown)?;
    let site = Site { state: state.to_owned(), operation: operation.to_owned(), nth };
    Ok(FaultSpec::Call { site, and_after, kind })
}

/// Why a text names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultSpecError {
    /// Not the name of a fault.
    #[error(
        "expected migrate-fails, unhealthy-target, unhealthy-targets, image-fails, no-capacity, no-capacity/ZONE, \
         no-builder, agent-silent, impaired/NTH, member-dies/SECONDS, alarm/SECONDS, two-starts, or \
         STATE/OPERATION#NTH/KIND with a kind of {}",
        CallKind::ALL.map(CallKind::name).join(", ")
    )]
    Unknown,
    /// A world fault without its number.
    #[error("expected '{name}/NUMBER'")]
    Number {
        /// The fault's name.
        name: String,
    },
    /// Not a call site.
    #[error("expected 'STATE/OPERATION#NTH/KIND', such as 'retag/CreateTags#1/{kind}'")]
    CallSite {
        /// The kind that the text names.
        kind: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_back_as_it_is_written() {
        let written = [
            "create-the-builder/RunInstances#2/answer-lost",
            "staying-out/DeregisterTargets#1../error",
            "migrate-fails",
            "no-capacity",
            "no-capacity/eu-central-1a",
            "impaired/2",
            "alarm/30",
            "two-starts",
        ];
        for text in written {
            assert_eq!(text.parse::<FaultSpec>().unwrap().to_string(), text);
        }
        for wrong in ["", "migrate-fails/2", "impaired", "impaired/x", "a/B/error", "a/B#0/error", "a/B#1/unknown"] {
            assert!(wrong.parse::<FaultSpec>().is_err(), "{wrong}");
        }
    }
}
