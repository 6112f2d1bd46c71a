//! How a fleet follows its load, as its operator decides it.

use crate::Span;
use serde::{Deserialize, Serialize};

/// Between which sizes a fleet follows its CPU, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// The fewest members.
    pub min: u32,
    /// The most members.
    pub max: u32,
    /// The CPU, in percent, that members in service are to have in the average, at most.
    pub target_cpu: u32,
    /// By how many members one decision changes the fleet at most.
    #[serde(default = "default_largest_step")]
    pub largest_step: u32,
    /// How long after members were added no more are.
    #[serde(default = "default_cooldown_out")]
    pub cooldown_out: Span,
    /// How long after the size changed, either way, no member is taken out.
    #[serde(default = "default_cooldown_in")]
    pub cooldown_in: Span,
    /// How long a member that came into service fills its caches: until then its CPU says nothing of the load.
    #[serde(default = "default_warm_up")]
    pub warm_up: Span,
}

fn default_largest_step() -> u32 {
    2
}

fn default_cooldown_out() -> Span {
    Span::minutes(1)
}

fn default_cooldown_in() -> Span {
    Span::minutes(5)
}

fn default_warm_up() -> Span {
    Span::minutes(1)
}
