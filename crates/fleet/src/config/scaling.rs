//! How the fleet's size follows its CPU: the section `scaling`.

use crate::Span;
use serde::{Deserialize, Serialize};

/// How the fleet's size follows its CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// The smallest number of members. At most `max`.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub min: u32,
    /// The largest number of members. At most `load_balancer.target_quota`.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = super::check::LARGEST)))]
    pub max: u32,
    /// The highest CPU, in percent, that the members in service should have on average.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = super::check::LARGEST_TARGET)))]
    pub target_cpu: u32,
    /// The largest number of members that one decision adds or removes.
    #[serde(default = "default_largest_step")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub largest_step: u32,
    /// After members were added, how long no more members are added. At most 24h.
    #[serde(default = "default_cooldown_out")]
    pub cooldown_out: Span,
    /// After the size changed in either direction, how long no member is removed. At most 24h.
    #[serde(default = "default_cooldown_in")]
    pub cooldown_in: Span,
    /// How long a member fills its caches after it enters service. Until then, its CPU does not count. At most 1h.
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
