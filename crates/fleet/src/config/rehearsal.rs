//! What only a rehearsal and its estimates use: the sections `prices` and `rehearsal`.

use super::AnyTag;
use crate::Span;
use serde::{Deserialize, Serialize};

/// Prices of instances, for cost estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// The price of one member, in US dollars an hour.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub member_hour: f64,
    /// The price of the builder, in US dollars an hour.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub builder_hour: f64,
}

impl Default for Prices {
    /// On-demand Linux in eu-central-1: c6i.large and c6i.2xlarge.
    fn default() -> Self {
        Self { member_hour: 0.097, builder_hour: 0.388 }
    }
}

/// The simulated AWS of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Rehearsal {
    /// The seed from which a rehearsal draws every latency and every random choice.
    pub seed: u64,
    /// The requests per second that the simulated clients send to the whole fleet.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 10_000)))]
    pub requests_per_second: f64,
    /// The target group's deregistration delay: how long a deregistered target drains. 0s to 3600s; AWS's default is 300s.
    pub deregistration_delay: Span,
    /// The target group's health check interval. 5s to 300s; AWS's default is 30s.
    pub health_check_interval: Span,
    /// The account's quota of on-demand vCPUs.
    pub vcpu_quota: u32,
    /// Instances in the same account that do not belong to the fleet: one instance for each tag named here.
    pub others: Vec<AnyTag>,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self {
            seed: 1,
            requests_per_second: 50.0,
            deregistration_delay: Span::seconds(300),
            health_check_interval: Span::seconds(30),
            vcpu_quota: 100_000,
            others: Vec::new(),
        }
    }
}
