//! How long things take in the simulated world.

use fleet::{Config, Span};
use simulator::world::{Latencies, Range, World};
use std::time::Duration;

/// How long things take.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    latencies: Latencies,
    /// How long the simulated operator takes to approve.
    pub(super) approves_after: Duration,
}

impl Pace {
    /// As long as on AWS; the operator approves after five minutes.
    pub(super) fn real() -> Self {
        Self { latencies: Latencies::default(), approves_after: Duration::from_secs(300) }
    }

    /// Seconds for everything, so that steps poll little and many rehearsals fit into a minute. The ranges are equal, so
    /// the seeds draw every order of events.
    pub(super) fn fast() -> Self {
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

/// The configuration with short waits and limits, and with approval, so that an upgrade enters every state.
pub(super) fn shorten_waits(mut config: Config) -> Config {
    config.upgrade.approval = true;
    config.upgrade.canary_bake = Span::seconds(4);
    config.upgrade.bake = Span::seconds(8);
    let minute = Span::seconds(60);
    let limits = &mut config.limits;
    for limit in [&mut limits.launch, &mut limits.agent, &mut limits.stop, &mut limits.image, &mut limits.healthy] {
        *limit = minute;
    }
    // Longer than a requested backup takes to become visible at most.
    limits.backup = Span::minutes(3);
    limits.configure = Span::minutes(3);
    // Longer than an instance that was launched just before a rollback takes to become visible at most.
    limits.delete = Span::minutes(5);
    config.rehearsal.deregistration_delay = Span::seconds(4);
    config.rehearsal.health_check_interval = Span::seconds(1);
    config
}
