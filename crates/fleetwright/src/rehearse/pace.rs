//! How long things take in the rehearsed world.

use super::APPROVES_AFTER;
use fleet::{Config, Span};
use simulator::world::{Latencies, Range, World};
use std::time::Duration;

/// How long things take.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    latencies: Latencies,
    /// How long the simulated person takes to approve.
    pub(super) approves_after: Duration,
}

impl Pace {
    /// As on AWS.
    pub(super) fn real() -> Self {
        Self { latencies: Latencies::default(), approves_after: APPROVES_AFTER }
    }

    /// Everything within seconds, so that little is polled and many rehearsals fit into a minute. What comes before what
    /// is drawn all the more freely.
    pub(super) fn brisk() -> Self {
        let soon = Range::millis(500, 3_500);
        let latencies = Latencies {
            launch: soon,
            first_boot: soon,
            boot: soon,
            agent: soon,
            status_checks: soon,
            stop: soon,
            reboot: soon,
            start: soon,
            terminate: soon,
            image: soon,
            backup: soon,
            command: soon,
            long_request: Duration::from_secs(3),
            ..Latencies::default()
        };
        Self { latencies, approves_after: Duration::from_secs(3) }
    }

    /// The world at this pace.
    pub(super) fn set(&self, world: World) -> World {
        World { latencies: self.latencies.clone(), ..world }
    }
}

/// The configuration of a fleet whose waits are short and whose upgrade passes every state, approval included.
pub(super) fn brisk(mut config: Config) -> Config {
    config.upgrade.approval = true;
    config.upgrade.canary_bake = Span::seconds(4);
    config.upgrade.bake = Span::seconds(8);
    let minute = Span::seconds(60);
    let limits = &mut config.limits;
    for limit in [&mut limits.launch, &mut limits.agent, &mut limits.stop, &mut limits.image, &mut limits.healthy] {
        *limit = minute;
    }
    // Longer than what a backup that was asked for may take to appear.
    limits.backup = Span::minutes(3);
    limits.configure = Span::minutes(3);
    // Longer than what was launched just before a rollback may take to appear.
    limits.delete = Span::minutes(5);
    config.rehearsal.deregistration_delay = Span::seconds(4);
    config.rehearsal.health_check_interval = Span::seconds(1);
    config
}
