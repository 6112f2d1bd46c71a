//! The reference to a run, and the ticket with which an execution acts for it.

use crate::{FleetName, RunId};
use serde::{Deserialize, Serialize};

/// A run of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// The fleet's name.
    pub fleet: FleetName,
    /// The run's id.
    pub id: RunId,
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of fleet {}", self.id, self.fleet)
    }
}

/// The ticket that a state machine passes from step to step. Its fencing number belongs to the execution: a resumed run gets
/// a higher number, so that a late step of the earlier execution does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The fleet's name.
    pub fleet: FleetName,
    /// The run's id.
    pub id: RunId,
    /// The fencing number. It is missing if the execution began under an earlier release, or if it never received the answer of
    /// the step that began the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
}

impl Ticket {
    /// The run that the ticket is for.
    pub fn run(&self) -> RunRef {
        RunRef { fleet: self.fleet.clone(), id: self.id.clone() }
    }
}
