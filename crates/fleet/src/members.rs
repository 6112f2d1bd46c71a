//! The members that a run found, and those that it made, as the ledger has them.

use crate::{Golden, ImageId, InstanceId, Span, Zone};
use serde::{Deserialize, Serialize};

/// What the fleet was before the run's first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Every member; of a scale-in those who leave.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub members: Vec<Member>,
    /// The golden image, if there was one.
    pub golden: Option<Golden>,
    /// How long a target that is taken out goes on draining.
    pub drain: Span,
}

/// A member as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The instance.
    pub id: InstanceId,
    /// The image it is a clone of.
    pub image: ImageId,
    /// Where it stands.
    pub zone: Zone,
    /// Whether it took traffic, or is to: nobody waits for one that was ill when the run began.
    #[serde(default = "yes")]
    pub serves: bool,
}

/// Earlier releases began no run while a member was ill.
fn yes() -> bool {
    true
}

/// The members that a run made, all of which were seen running; of a scale-out those who came into service, of a scale-in
/// those who stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayingMembers {
    /// Their ids, in order.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub ids: Vec<InstanceId>,
}
