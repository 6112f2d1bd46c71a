//! A decision on a fleet's size, its reason and its inputs.

use super::SizeOrder;
use crate::Scaling;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A decision on a fleet's size, as the ledger records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When the decision was made.
    pub at: Timestamp,
    /// The action and its reason.
    #[serde(flatten)]
    pub action: Action,
    /// What the decision was made from.
    pub inputs: Inputs,
}

/// What happens to a fleet's size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The size stays.
    Hold {
        /// Why the size stays.
        reason: Reason,
    },
    /// The fleet grows.
    Out {
        /// The new size.
        to: u32,
        /// Why the fleet grows.
        reason: Reason,
    },
    /// The fleet shrinks.
    In {
        /// The new size.
        to: u32,
        /// Why the fleet shrinks.
        reason: Reason,
    },
    /// A change is due or ordered but not possible. The size stays.
    Refused {
        /// Why the change is not possible.
        reason: Reason,
    },
}

/// The reason for an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// The configuration has no section `scaling`.
    #[error("the configuration has no section [scaling]: only an operator changes this fleet's size")]
    NotConfigured,
    /// No data point describes the present work.
    #[error("the CPU is unknown: no data point describes the fleet as it is now")]
    NoData,
    /// The data points of the last 10 minutes have gaps.
    #[error("the CPU of the last 10 minutes has gaps: no member is removed")]
    TooLittleData,
    /// The fleet has the wanted size.
    #[error("the fleet needs {wanted} members, as many as it has")]
    Enough {
        /// The wanted size.
        wanted: u32,
    },
    /// The CPU is above the target.
    #[error("the CPU is {percent:.1} % on {in_service} members: {wanted} members bring it to the target{limit}")]
    Busy {
        /// The CPU, in percent.
        percent: f64,
        /// The number of members that shared the work.
        in_service: u32,
        /// The number of members that bring the CPU to the target.
        wanted: u32,
        /// What keeps the fleet smaller than that, if anything does.
        limit: Limit,
    },
    /// The CPU is below the target.
    #[error("the busiest of the last 10 minutes needs {wanted} members{limit}")]
    Idle {
        /// The number of members that it needs, with a margin.
        wanted: u32,
        /// What keeps the fleet larger than that, if anything does.
        limit: Limit,
    },
    /// The fleet is smaller than `scaling.min`.
    #[error("{size} members are fewer than scaling.min, {min}{limit}")]
    BelowMin {
        /// The present size.
        size: u32,
        /// The smallest allowed size.
        min: u32,
        /// What keeps the fleet smaller than that, if anything does.
        limit: Limit,
    },
    /// The fleet is larger than `scaling.max`.
    #[error("{size} members are more than scaling.max, {max}")]
    AboveMax {
        /// The present size.
        size: u32,
        /// The largest allowed size.
        max: u32,
    },
    /// A change is due, but the cooldown has not ended.
    #[error("the fleet needs {wanted} members; the cooldown ends at {until}")]
    CoolingDown {
        /// The wanted size.
        wanted: u32,
        /// The end of the cooldown.
        until: Timestamp,
    },
    /// Fewer members would be enough, but some members are not warm yet.
    #[error("the fleet needs {wanted} members; {members} members are not warm yet, and none is removed until they are")]
    WarmingUp {
        /// The wanted size.
        wanted: u32,
        /// The number of members that are not warm.
        members: u32,
    },
    /// The fleet needs more members than `scaling.max` allows.
    #[error("the fleet needs {wanted} members but has {max}, which is scaling.max")]
    AtMax {
        /// The wanted size.
        wanted: u32,
        /// The largest allowed size.
        max: u32,
    },
    /// The database does not allow the connections.
    #[error(
        "database.max_connections: {available} are too few for {wanted} members: with the {others} that other runs may \
         add, of {per_member} connections each, they need {needed}; the fleet keeps {size} members. Raise \
         max_connections, or lower database.connections_per_member or scaling.max"
    )]
    Connections {
        /// The present size.
        size: u32,
        /// The wanted size.
        wanted: u32,
        /// The number of members and builders that other runs may add.
        others: u32,
        /// The number of connections that each may open.
        per_member: u32,
        /// The number of connections that all need.
        needed: u64,
        /// The number of connections that the database allows.
        available: u32,
    },
    /// An operator ordered the size.
    #[error("ordered: {order}")]
    Ordered {
        /// The order.
        order: SizeOrder,
    },
    /// An operator ordered a size that is not allowed.
    #[error("ordered: {order}, which would be {wanted} members: expected {min} to {max}, scaling.min to scaling.max")]
    OutOfBounds {
        /// The order.
        order: SizeOrder,
        /// The size that it would result in.
        wanted: i64,
        /// The smallest allowed size.
        min: u32,
        /// The largest allowed size.
        max: u32,
    },
}

/// What limits a change of the size.
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

/// The inputs of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The number of members that are running or being launched.
    pub size: u32,
    /// The number of members in service.
    pub in_service: u32,
    /// The number of members in service that are warm.
    pub warm: u32,
    /// The data points, the latest last.
    pub cpu: Vec<SeenCpu>,
    /// When added members were last all in service.
    pub last_out: Option<Timestamp>,
    /// When removed members were last all terminated.
    pub last_in: Option<Timestamp>,
    /// The number of members and builders that other runs may add.
    pub others_may_add: u32,
    /// The number of members that the database's connections allow, without those of other runs.
    pub connections_allow: u32,
    /// The operator's order, if there is one.
    pub order: Option<SizeOrder>,
    /// The section `scaling` of the configuration.
    pub scaling: Option<Scaling>,
}

/// A data point and the number of members that shared its work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeenCpu {
    /// The start of the data point's minute.
    pub at: Timestamp,
    /// The CPU in percent.
    pub percent: f64,
    /// The number of members in service in that minute.
    pub in_service: u32,
}

impl SeenCpu {
    /// The work, in percent of one member's CPU.
    pub(super) fn work(self) -> f64 {
        self.percent * f64::from(self.in_service)
    }
}

impl Decision {
    /// The size after the decision.
    pub fn size(&self) -> u32 {
        match self.action {
            Action::Out { to, .. } | Action::In { to, .. } => to,
            Action::Hold { .. } | Action::Refused { .. } => self.inputs.size,
        }
    }

    /// Whether the size is `scaling.min` or below, so that an idle fleet does not shrink further.
    pub fn is_at_min(&self) -> bool {
        self.inputs.scaling.is_none_or(|scaling| self.size() <= scaling.min)
    }
}

impl Action {
    /// The reason for the action.
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
            Self::Min => "; limited by scaling.min",
            Self::Max => "; limited by scaling.max",
            Self::LargestStep => "; limited by scaling.largest_step",
            Self::Connections => "; limited by database.max_connections",
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
