//! Checks what the types of a configuration do not say: bounds, and settings that contradict each other.

use super::{Config, ConfigError, Database, FleetConfig, Limits, Prices, Rehearsal, Scaling, Upgrade};
use crate::Span;
use std::iter::once;

/// The ledger's record of the members before a run holds at most this many. DynamoDB limits an item to 400 KB.
pub(super) const LARGEST: u32 = 4000;
/// One RunInstances call launches at most this many: EC2's token bucket for instances holds 1,000.
const LARGEST_LAUNCH: u32 = 1000;

/// `delete` waits for 3 minutes after a run starts to roll back. One more poll needs a minute.
const SHORTEST_DELETE: Span = Span::minutes(4);
const LIMIT_BOUNDS: (Span, Span) = (Span::minutes(1), Span::minutes(48 * 60));
const LONGEST_BAKE: Span = Span::minutes(120);

/// A CPU shows at most 100 %. The nearer the target is to it, the less the CPU tells about a fleet that is far too small.
pub(super) const LARGEST_TARGET: u32 = 90;
const LONGEST_COOLDOWN: Span = Span::minutes(24 * 60);
const LONGEST_WARM_UP: Span = Span::minutes(60);

/// How long Run Command lets the document run, in seconds; see infra/instance/make-document.sh.
const CONFIGURE_SECONDS: u32 = 9900;

/// Whether the value is right, its field, and what would be right.
type Check = (bool, &'static str, String);

impl Config {
    /// Checks what types alone do not say.
    ///
    /// # Errors
    /// The first field with a value that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        let [configure, every_limit, delete] = self.limits.checks();
        let [canary, hops_rise, wanted, keep_images, bake] = self.upgrade.checks();
        let [health_check_interval, deregistration_delay, requests_per_second] = self.rehearsal.checks();
        // An operator corrects one error at a time, in this order.
        let checks = once(configure).chain(self.fleet.checks()).chain([
            self.database.check(),
            canary,
            hops_rise,
            health_check_interval,
            deregistration_delay,
            every_limit,
            delete,
            wanted,
            keep_images,
            bake,
            requests_per_second,
            self.prices.check(),
        ]);
        let quota = self.load_balancer.target_quota;
        let scaling = self.scaling.iter().flat_map(|scaling| scaling.checks(quota));
        match checks.chain(scaling).find(|(right, _, _)| !right) {
            Some((_, field, problem)) => Err(ConfigError::Invalid { field, problem }),
            None => Ok(()),
        }
    }
}

impl FleetConfig {
    fn checks(&self) -> [Check; 9] {
        let zones: Vec<_> = self.subnets.iter().map(|subnet| &subnet.zone).collect();
        let tag = &self.load_balancer_tag;
        [
            (self.size >= 1, "fleet.size", "a fleet has at least 1 member".to_owned()),
            (
                !zones.is_empty(),
                "fleet.subnets",
                "name at least one subnet, as { id = \"subnet-…\", zone = \"…\" }".to_owned(),
            ),
            (
                self.size <= LARGEST.min(LARGEST_LAUNCH.saturating_mul(zones.len().try_into().unwrap_or(0))),
                "fleet.size",
                format!(
                    "{} members are too many: a fleet has at most {LARGEST}, and at most {LARGEST_LAUNCH} in a zone",
                    self.size
                ),
            ),
            (
                zones.iter().all(|zone| zones.iter().filter(|other| other == &zone).count() == 1),
                "fleet.subnets",
                "two subnets are in one zone: name one subnet for each zone".to_owned(),
            ),
            (
                zones.iter().all(|zone| zone.region() == zones[0].region()),
                "fleet.subnets",
                "the zones are in different regions: a fleet lives in one region".to_owned(),
            ),
            (!self.security_groups.is_empty(), "fleet.security_groups", "name at least one security group".to_owned()),
            (
                !self.instance_profile.is_empty(),
                "fleet.instance_profile",
                "name an instance profile that allows the SSM agent to register".to_owned(),
            ),
            (
                !tag.key.is_empty() && !tag.value.is_empty(),
                "fleet.load_balancer_tag",
                "key and value must not be empty".to_owned(),
            ),
            (
                !tag.key.starts_with("fleetwright:") && !tag.key.starts_with("aws:"),
                "fleet.load_balancer_tag",
                format!(
                    "the key '{}' is reserved: choose one that starts neither with 'fleetwright:' nor with 'aws:'",
                    tag.key
                ),
            ),
        ]
    }
}

impl Database {
    fn check(&self) -> Check {
        (self.connections_per_member >= 1, "database.connections_per_member", "must be at least 1".to_owned())
    }
}

impl Upgrade {
    fn checks(&self) -> [Check; 5] {
        let hops = &self.hops;
        [
            (
                self.canary >= 1,
                "upgrade.canary",
                "must be at least 1: the number of staying members that enter service first".to_owned(),
            ),
            (
                !hops.is_empty() && hops.is_sorted_by(|before, after| before < after),
                "upgrade.hops",
                "expected the last version of each migration class, in rising order, each version once".to_owned(),
            ),
            (
                self.wanted.is_none() || !self.windows.is_empty(),
                "upgrade.wanted",
                "no window starts this upgrade: name a window in upgrade.windows, or start the upgrade with \
                 'fleetwright upgrade'"
                    .to_owned(),
            ),
            (
                (1..=100).contains(&self.keep_images),
                "upgrade.keep_images",
                "expected 1 to 100: the fleet always keeps the last good image".to_owned(),
            ),
            (
                self.bake.max(self.canary_bake) <= LONGEST_BAKE,
                "upgrade.bake",
                "bake and canary_bake are at most 2h each: a run polls every few seconds while it bakes, and an \
                 execution may have 25,000 events; for a longer wait, set upgrade.approval"
                    .to_owned(),
            ),
        ]
    }
}

impl Limits {
    fn checks(&self) -> [Check; 3] {
        let Self { launch, agent, backup, configure, stop, image, healthy, delete, approval } = *self;
        let (shortest, longest) = LIMIT_BOUNDS;
        let hop = agent + Span::seconds(CONFIGURE_SECONDS);
        [
            (
                configure >= hop,
                "limits.configure",
                format!(
                    "must be at least {} s: a hop takes up to limits.agent and {CONFIGURE_SECONDS} s, and a shorter \
                     limit would delete the builder during a migration",
                    hop.as_secs()
                ),
            ),
            (
                [launch, agent, backup, configure, stop, image, healthy, delete, approval]
                    .iter()
                    .all(|limit| (shortest..=longest).contains(limit)),
                "limits",
                "each is from 1m to 48h".to_owned(),
            ),
            (
                delete >= SHORTEST_DELETE,
                "limits.delete",
                "must be at least 4m: for 3 minutes after a run starts to roll back, a resource that it requested \
                 can still appear"
                    .to_owned(),
            ),
        ]
    }
}

impl Prices {
    fn check(&self) -> Check {
        (self.member_hour >= 0.0 && self.builder_hour >= 0.0, "prices", "a price is not negative".to_owned())
    }
}

impl Rehearsal {
    fn checks(&self) -> [Check; 3] {
        let rate = self.requests_per_second;
        [
            (
                (Span::seconds(5)..=Span::minutes(5)).contains(&self.health_check_interval),
                "rehearsal.health_check_interval",
                "AWS accepts 5s to 300s".to_owned(),
            ),
            (
                self.deregistration_delay <= Span::minutes(60),
                "rehearsal.deregistration_delay",
                "AWS accepts 0s to 3600s".to_owned(),
            ),
            (
                rate.is_finite() && (0.0..=10_000.0).contains(&rate),
                "rehearsal.requests_per_second",
                "expected a number from 0 to 10,000".to_owned(),
            ),
        ]
    }
}

impl Scaling {
    fn checks(&self, quota: u32) -> [Check; 8] {
        let Self { min, max, target_cpu, largest_step, cooldown_out, cooldown_in, warm_up } = *self;
        [
            (min >= 1, "scaling.min", "a fleet has at least 1 member".to_owned()),
            (min <= max, "scaling.min", format!("{min} is above scaling.max, {max}: expected at most that")),
            (max <= LARGEST, "scaling.max", format!("{max} members are too many: expected at most {LARGEST}")),
            (
                max <= quota,
                "scaling.max",
                format!("{max} members do not fit: load_balancer.target_quota allows {quota} targets"),
            ),
            (
                (1..=LARGEST_TARGET).contains(&target_cpu),
                "scaling.target_cpu",
                format!(
                    "{target_cpu} % is not a target: expected 1 to {LARGEST_TARGET}, so that the CPU has room to show \
                     how far it is above the target"
                ),
            ),
            (
                largest_step >= 1,
                "scaling.largest_step",
                "must be at least 1: with 0 the fleet would never change".to_owned(),
            ),
            (
                cooldown_out.max(cooldown_in) <= LONGEST_COOLDOWN,
                "scaling.cooldown_in",
                "cooldown_out and cooldown_in are at most 24h each".to_owned(),
            ),
            (warm_up <= LONGEST_WARM_UP, "scaling.warm_up", "expected at most 1h".to_owned()),
        ]
    }
}
