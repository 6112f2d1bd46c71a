//! Why a rehearsal has no result.

use super::{Ending, FaultSpec};
use crate::permissions::PermissionsError;
use fleet::ConfigError;
use functions::StepError;

/// Why a rehearsal, or a fault search, has no result.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The definition of the state machine cannot be loaded.
    #[error("{0}")]
    Definition(#[from] asl::Invalid),
    /// The permissions of the functions cannot be read from the template.
    #[error("infra/template.yaml: {0}")]
    Permissions(#[from] PermissionsError),
    /// The runtime with the virtual clock cannot be built.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
    /// The fleet cannot be written to the simulated ledger.
    #[error("the simulated ledger does not take the fleet: {0}")]
    SetUp(#[source] StepError),
    /// The seed and the fleet's name give no valid name of a run.
    #[error("{0}")]
    RunName(#[from] fleet::InvalidId),
    /// The simulated AWS cannot be inspected after the run.
    #[error("the world cannot be inspected after the run: {0}")]
    Inspection(#[source] StepError),
    /// A rehearsal that replays a recording made another call than the recording has.
    #[error("a rehearsal with {faults:?} diverged from its recording")]
    Diverged {
        /// The faults of the rehearsal.
        faults: Vec<FaultSpec>,
    },
    /// A scenario of the fault search does not end as its workflow defines.
    #[error("a scenario must end as {expected:?} and ended as {ended:?}: {reason}")]
    UnexpectedEnding {
        /// How it must end.
        expected: Ending,
        /// How it ended.
        ended: Ending,
        /// Why it ended so.
        reason: String,
    },
    /// A thread of the fault search panicked.
    #[error("a rehearsal panicked")]
    Panicked,
}

/// Why the configuration and the command line describe no rehearsal.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpecError {
    /// The configuration cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The configuration, with the command line's `--size` and `--seed`, is invalid.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// `rehearse scale` names the size that the fleet has.
    #[error("fleet.size: the fleet has {size} members already: name another size")]
    SameSize {
        /// The fleet's size.
        size: u32,
    },
}
