//! Which run, and by what right an execution acts for it.

use crate::{FleetName, RunId};
use serde::{Deserialize, Serialize};

/// Which run of which fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// The fleet.
    pub fleet: FleetName,
    /// The run.
    pub id: RunId,
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of fleet {}", self.id, self.fleet)
    }
}

/// All that a state machine carries from step to step: the run, and the fencing number under which its execution holds
/// the fleet. A run that is taken up gets a higher one, so that a late step of the execution before does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The fleet.
    pub fleet: FleetName,
    /// The run.
    pub id: RunId,
    /// The fencing number. An execution that began under an earlier release carries none, nor does one that never had
    /// an answer from the step that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
}

impl Ticket {
    /// The run that it is for.
    pub fn run(&self) -> RunRef {
        RunRef { fleet: self.fleet.clone(), id: self.id.clone() }
    }
}
