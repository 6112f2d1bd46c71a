//! What can go wrong in a rehearsal, as a person writes it after `--fault`.
//!
//! A fault of a call is `SITE/KIND`, where the site is `STATE/OPERATION#NTH`: the state of the definition in lowercase with
//! hyphens, and which of its calls of the operation. `#NTH..` strikes all from that one on.

use simulator::faults::{Fault, Which, WorldFault};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Something to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultSpec {
    /// At one call, or at all of its kind from one on.
    Call {
        /// Which call.
        site: Site,
        /// Not only that one, but all of its kind that follow.
        and_after: bool,
        /// What happens to it.
        kind: CallKind,
    },
    /// In the world, whoever calls.
    World(WorldKind),
}

/// A call that an upgrade makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The state whose function calls, in lowercase with hyphens.
    pub state: String,
    /// The operation.
    pub operation: String,
    /// Which of the state's calls of the operation; the first is 1.
    pub nth: u32,
}

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// Refused for good, without effect.
    Error,
    /// Refused because there were too many, without effect.
    Throttle,
    /// It took effect; the connection broke before the answer.
    AnswerLost,
    /// The function's process dies before it.
    CrashBefore,
    /// It took effect; the function's process dies before the answer.
    CrashAfter,
    /// The function is invoked once more, from beginning to end, before the call is made.
    InvokedTwice,
    /// The execution stops for good before it, and a person starts another.
    OrchestratorDiesBefore,
    /// It took effect; the execution stops for good, and a person starts another.
    OrchestratorDiesAfter,
}

/// What can go wrong in the world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorldKind {
    /// `migrate` fails on the builder, with exit status 0.
    MigrateFails,
    /// The first new member's target never turns healthy.
    UnhealthyTarget,
    /// No new member's target does.
    UnhealthyTargets,
    /// The image of the builder ends as failed.
    ImageFails,
    /// No zone, or not this one, has a machine left for the new members.
    NoCapacity(Option<String>),
    /// No zone has a machine left for the builder.
    NoBuilder,
    /// No new instance's SSM agent comes online.
    AgentSilent,
    /// The nth instance that is launched runs, and neither serves nor reports.
    Impaired(u32),
    /// The first member in service dies, so many seconds after the first instant.
    MemberDies(u32),
    /// An alarm rings, so many seconds after the first instant.
    Alarm(u32),
    /// The upgrade is started twice at once.
    TwoStarts,
}

impl CallKind {
    /// All of them.
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

    /// Whether a run must come out as if nothing had happened, given that it happens once.
    pub(super) fn passes(self) -> bool {
        !matches!(self, Self::Error | Self::OrchestratorDiesBefore | Self::OrchestratorDiesAfter)
    }
}

impl WorldKind {
    /// How long after the first instant it happens, if it does at a time.
    pub(super) fn at(&self) -> Option<Duration> {
        match self {
            Self::MemberDies(seconds) | Self::Alarm(seconds) => Some(Duration::from_secs((*seconds).into())),
            _ => None,
        }
    }

    /// Its name on the command line, without what it is about.
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

    /// The name of what happens, without where.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call { kind, .. } => kind.name(),
            Self::World(kind) => kind.name(),
        }
    }

    /// Where it happens; nothing for a fault of the world.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::Call { site, .. } => Some(site),
            Self::World(_) => None,
        }
    }

    /// The fault of a call; none if it is one of the world.
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

    /// Whether a run must come out as if nothing had happened.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Call { kind, and_after: false, .. } if kind.passes())
    }

    /// The fault as the simulated world knows it, given the types of members and builder. Two starts are no fault of the
    /// world: whoever rehearses starts twice.
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
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('/').collect();
        let (name, about) = match parts.as_slice() {
            [state, call, kind] => return call_fault(state, call, kind),
            [name, about] => (*name, Some(*about)),
            [name] => (*name, None),
            _ => return Err(unknown()),
        };
        let number = || {
            let number = about.and_then(|about| about.parse().ok());
            number.ok_or_else(|| format!("expected '{name}/NUMBER'"))
        };
        let world = match name {
            "no-capacity" => WorldKind::NoCapacity(about.map(str::to_owned)),
            "impaired" => WorldKind::Impaired(number()?),
            "member-dies" => WorldKind::MemberDies(number()?),
            "alarm" => WorldKind::Alarm(number()?),
            _ if about.is_some() => return Err(unknown()),
            "migrate-fails" => WorldKind::MigrateFails,
            "unhealthy-target" => WorldKind::UnhealthyTarget,
            "unhealthy-targets" => WorldKind::UnhealthyTargets,
            "image-fails" => WorldKind::ImageFails,
            "no-builder" => WorldKind::NoBuilder,
            "agent-silent" => WorldKind::AgentSilent,
            "two-starts" => WorldKind::TwoStarts,
            _ => return Err(unknown()),
        };
        Ok(Self::World(world))
    }
}

fn call_fault(state: &str, call: &str, kind: &str) -> Result<FaultSpec, String> {
    let wanted = || format!("expected 'STATE/OPERATION#NTH/KIND', such as 'retag/CreateTags#1/{kind}'");
    let (operation, nth) = call.split_once('#').ok_or_else(wanted)?;
    let (nth, and_after) = nth.strip_suffix("..").map_or((nth, false), |nth| (nth, true));
    let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(wanted)?;
    let kind = CallKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(unknown)?;
    let site = Site { state: state.to_owned(), operation: operation.to_owned(), nth };
    Ok(FaultSpec::Call { site, and_after, kind })
}

fn unknown() -> String {
    let kinds: Vec<_> = CallKind::ALL.iter().map(|kind| kind.name()).collect();
    format!(
        "expected migrate-fails, unhealthy-target, unhealthy-targets, image-fails, no-capacity, no-capacity/ZONE, \
         no-builder, agent-silent, impaired/NTH, member-dies/SECONDS, alarm/SECONDS, two-starts, or \
         STATE/OPERATION#NTH/KIND with a kind of {}",
        kinds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
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
        for wrong in ["", "migrate-fails/2", "impaired", "impaired/x", "a/B/error", "a/B#0/error", "a/B#1/boredom"] {
            assert!(wrong.parse::<FaultSpec>().is_err(), "{wrong}");
        }
    }
}
