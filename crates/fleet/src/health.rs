//! How a member's target is, as the load balancer sees it.

use serde::{Deserialize, Serialize};

/// How a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Registered, its first checks not through.
    Initial,
    /// Takes traffic.
    Healthy,
    /// Its checks fail; in the load balancer's words.
    Unhealthy(String),
    /// Taken out, finishing its requests.
    Draining,
    /// Not registered, or in a zone that the load balancer does not serve.
    Out,
}

impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Initial => f.write_str("initial"),
            Self::Healthy => f.write_str("healthy"),
            Self::Unhealthy(reason) => write!(f, "unhealthy ({reason})"),
            Self::Draining => f.write_str("draining"),
            Self::Out => f.write_str("not registered"),
        }
    }
}
