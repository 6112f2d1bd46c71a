//! What was decided, from what, and why.

use super::SizeOrder;
use crate::Scaling;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A decision on a fleet's size, as it is recorded: with all that it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was made.
    pub at: Timestamp,
    /// What is to be done, and why.
    #[serde(flatten)]
    pub action: Action,
    /// What it was made from.
    pub inputs: Inputs,
}

/// What is to be done about a fleet's size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It stays.
    Hold {
        /// Why.
        reason: Reason,
    },
    /// Members are added.
    Out {
        /// How many there are to be.
        to: u32,
        /// Why.
        reason: Reason,
    },
    /// Members are taken out.
    In {
        /// How many there are to be.
        to: u32,
        /// Why.
        reason: Reason,
    },
    /// What is due, or ordered, cannot be; the size stays.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// Why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// The configuration has no section for it.
    #[error("the configuration has no section [scaling]: only a person changes this fleet's size")]
    NotConfigured,
    /// No point says what the load is.
    #[error("the CPU is unknown: no point tells of the fleet as it is now")]
    NoData,
    /// The points of the last 10 minutes leave gaps.
    #[error("the CPU of the last 10 minutes is not known throughout: no member is taken out")]
    TooLittleData,
    /// As many as are wanted.
    #[error("{wanted} members are wanted, as many as there are")]
    Enough {
        /// How many are wanted.
        wanted: u32,
    },
    /// The CPU is above the target.
    #[error("the CPU is {percent:.1} % over {in_service} members: {wanted} bring it to the target{limit}")]
    Busy {
        /// The CPU, in percent.
        percent: f64,
        /// The members that shared it.
        in_service: u32,
        /// How many bring it to the target.
        wanted: u32,
        /// What keeps the fleet smaller than that, if anything does.
        limit: Limit,
    },
    /// The CPU is below the target.
    #[error("the most of the last 10 minutes needs {wanted} members{limit}")]
    Idle {
        /// How many it needs, with a margin.
        wanted: u32,
        /// What keeps the fleet larger than that, if anything does.
        limit: Limit,
    },
    /// Fewer members than the configuration says.
    #[error("{size} members are fewer than scaling.min, {min}{limit}")]
    BelowMin {
        /// How many there are.
        size: u32,
        /// How many there are to be at least.
        min: u32,
        /// What keeps the fleet smaller than that, if anything does.
        limit: Limit,
    },
    /// More members than the configuration says.
    #[error("{size} members are more than scaling.max, {max}")]
    AboveMax {
        /// How many there are.
        size: u32,
        /// How many there are to be at most.
        max: u32,
    },
    /// It is due, and too early.
    #[error("{wanted} members are wanted; cooling down until {until}")]
    CoolingDown {
        /// How many are wanted.
        wanted: u32,
        /// When it is looked at again.
        until: Timestamp,
    },
    /// Fewer would do, but members that were launched are not warm yet.
    #[error("{wanted} members are wanted; {members} are not warm yet, and none is taken out before")]
    WarmingUp {
        /// How many are wanted.
        wanted: u32,
        /// How many are not warm.
        members: u32,
    },
    /// More are wanted than may be.
    #[error("{wanted} members are wanted; there are {max}, which is scaling.max")]
    AtMax {
        /// How many are wanted.
        wanted: u32,
        /// How many there may be.
        max: u32,
    },
    /// The database could not take the connections.
    #[error(
        "database.max_connections: {available} are too few for {wanted} members: with the {others} that other runs may \
         add, of {per_member} connections each, they need {needed}; {size} members stay. Raise max_connections, or \
         lower database.connections_per_member or scaling.max"
    )]
    Connections {
        /// How many members there are.
        size: u32,
        /// How many members are wanted.
        wanted: u32,
        /// Members and builders that other runs may add.
        others: u32,
        /// Connections that one of them may open.
        per_member: u32,
        /// Connections needed.
        needed: u64,
        /// Connections that the database takes.
        available: u32,
    },
    /// A person wants it.
    #[error("ordered: {order}")]
    Ordered {
        /// What was ordered.
        order: SizeOrder,
    },
    /// A person wants what may not be.
    #[error("ordered: {order}, which would be {wanted} members: expected {min} to {max}, scaling.min to scaling.max")]
    OutOfBounds {
        /// What was ordered.
        order: SizeOrder,
        /// How many members that would be.
        wanted: i64,
        /// How many there are to be at least.
        min: u32,
        /// How many there may be.
        max: u32,
    },
}

/// What keeps a decision from what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Nothing.
    None,
    /// `scaling.min`.
    Min,
    /// `scaling.max`.
    Max,
    /// `scaling.largest_step`.
    LargestStep,
    /// `database.max_connections`.
    Connections,
}

/// What a decision was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Members that stood or were being launched.
    pub size: u32,
    /// Those in service.
    pub in_service: u32,
    /// Those in service and warm.
    pub warm: u32,
    /// The points that were read, the latest last.
    pub cpu: Vec<SeenCpu>,
    /// When members were last added and in service.
    pub last_out: Option<Timestamp>,
    /// When members were last taken out and gone.
    pub last_in: Option<Timestamp>,
    /// Members and builders that other runs may add.
    pub others_may_add: u32,
    /// Members that the database's connections allow, beside those.
    pub connections_allow: u32,
    /// What a person wants, if it was decided for one.
    pub order: Option<SizeOrder>,
    /// The configuration's section.
    pub scaling: Option<Scaling>,
}

/// A point and the members it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeenCpu {
    /// When its minute begins.
    pub at: Timestamp,
    /// The CPU in percent.
    pub percent: f64,
    /// The members in service in that minute, which shared the work.
    pub in_service: u32,
}

impl SeenCpu {
    /// The work, in percent of one member's CPU.
    pub(super) fn work(self) -> f64 {
        self.percent * f64::from(self.in_service)
    }
}

impl Decision {
    /// How many members there are to be.
    pub fn size(&self) -> u32 {
        match self.action {
            Action::Out { to, .. } | Action::In { to, .. } => to,
            Action::Hold { .. } | Action::Refused { .. } => self.inputs.size,
        }
    }
}

impl Decision {
    /// Whether the fleet is as small as it may be, however idle.
    pub fn is_at_min(&self) -> bool {
        self.inputs.scaling.is_none_or(|scaling| self.size() <= scaling.min)
    }
}

impl Action {
    /// Why.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Hold { reason } | Self::Out { reason, .. } | Self::In { reason, .. } | Self::Refused { reason } => {
                reason
            }
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.inputs.size;
        match &self.action {
            Action::Hold { reason } => write!(f, "stays at {size}: {reason}"),
            Action::Out { to, reason } => write!(f, "out from {size} to {to}: {reason}"),
            Action::In { to, reason } => write!(f, "in from {size} to {to}: {reason}"),
            Action::Refused { reason } => write!(f, "refused, stays at {size}: {reason}"),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::Min => "; scaling.min keeps it there",
            Self::Max => "; scaling.max keeps it there",
            Self::LargestStep => "; scaling.largest_step goes part of the way",
            Self::Connections => "; database.max_connections keeps it there",
        })
    }
}

impl std::fmt::Display for SizeOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::To(size) => write!(f, "to {size}"),
            Self::By(change) => write!(f, "by {change:+}"),
        }
    }
}
