//! How long each wait of a run may take: the section `limits`.

use crate::Span;
use serde::{Deserialize, Serialize};

/// How long each wait of a run may take. When a limit expires, the run fails and rolls back. Each limit is 1m to 48h.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From the launch of an instance to its state `running`. On EC2 this took 16 to 18 s when measured.
    pub launch: Span,
    /// From `running` to an SSM agent that answers. On EC2 this took 30 s to more than 6 min.
    pub agent: Span,
    /// From the request for a backup of the data to the finished backup. The first snapshot of a large volume takes hours.
    pub backup: Span,
    /// One hop on the builder: pull, start and migrate, with the wait for the SSM agent. At least `agent` + 9900 s.
    /// `migrate` can hang forever. The script on the builder stops it after 2 h 41 min, so that this limit expires later.
    pub configure: Span,
    /// From the request to stop an instance to its state `stopped`.
    pub stop: Span,
    /// From the request for an image to its state `available`. This usually takes minutes, at worst 24 h.
    pub image: Span,
    /// From the registration of a target to its state `healthy`.
    pub healthy: Span,
    /// From the termination of an instance to its state `terminated`. At least 4m.
    pub delete: Span,
    /// How long the run waits for an operator's approval.
    pub approval: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            launch: Span::minutes(10),
            agent: Span::minutes(15),
            backup: Span::minutes(6 * 60),
            configure: Span::minutes(180),
            stop: Span::minutes(15),
            image: Span::minutes(24 * 60),
            healthy: Span::minutes(15),
            delete: Span::minutes(15),
            approval: Span::minutes(24 * 60),
        }
    }
}
