//! The leaving and the staying members of a run, as the ledger records them.

use crate::{Golden, ImageId, InstanceId, Span, Zone};
use serde::{Deserialize, Serialize};

/// The fleet before the run's first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The members that the run found. In a scale-in, only the leaving members.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub members: Vec<Member>,
    /// The golden image, if there was one.
    pub golden: Option<Golden>,
    /// How long a deregistered target drains.
    pub drain: Span,
}

/// A member that the run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The instance.
    pub id: InstanceId,
    /// The image that it is a clone of.
    pub image: ImageId,
    /// Its availability zone.
    pub zone: Zone,
    /// Whether the run waits for this member to be in service. It does not wait for one that was unhealthy when the run began.
    #[serde(default = "yes")]
    pub serves: bool,
}

/// Records of earlier releases lack the field. Those releases began no run while a member was unhealthy.
fn yes() -> bool {
    true
}

/// The staying members of a run, all of which were observed running. In a scale-out, those that entered service. In a
/// scale-in, those that remain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayingMembers {
    /// The ids of the members, in order.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub ids: Vec<InstanceId>,
}
