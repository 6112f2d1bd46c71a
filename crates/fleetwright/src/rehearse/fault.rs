//! The faults that have a name on the command line.

use simulator::faults::{Fault, Which, WorldFault};

/// Something to go wrong in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedFault {
    /// `migrate` fails on the builder, with exit status 0.
    MigrateFails,
    /// The first new member's target never turns healthy.
    UnhealthyTarget,
    /// The image of the builder ends as failed.
    ImageFails,
    /// No zone has a machine left for the new members.
    NoCapacity,
}

impl NamedFault {
    /// The fault as the simulated world knows it.
    pub(super) fn fault(self, member_type: &str) -> Fault {
        Fault::world(match self {
            Self::MigrateFails => WorldFault::MigrationFails,
            Self::UnhealthyTarget => WorldFault::TargetNeverHealthy(Which::First),
            Self::ImageFails => WorldFault::ImageFails,
            Self::NoCapacity => WorldFault::NoCapacity { zone: None, instance_type: Some(member_type.to_owned()) },
        })
    }
}
