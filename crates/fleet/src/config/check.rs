//! What cannot be meant, though it has the right type.

use super::{Config, ConfigError, Limits, Scaling};
use crate::Span;

/// What the ledger's record of the members before a run holds; DynamoDB takes 400 KB an item.
const LARGEST: u32 = 4000;
/// What one RunInstances can launch: EC2's bucket holds 1,000 instances.
const LARGEST_LAUNCH: u32 = 1000;

/// What `delete` waits for after a run turned back, and one more look.
const SHORTEST_DELETE: Span = Span::minutes(4);

/// A CPU cannot show more than 100 %: the nearer the target is to it, the less a fleet that is far too small can tell.
const LARGEST_TARGET: u32 = 90;
const LONGEST_COOLDOWN: Span = Span::minutes(24 * 60);
const LONGEST_WARM_UP: Span = Span::minutes(60);

/// How long Run Command lets the document run, in seconds; see infra/instance/make-document.sh.
const CONFIGURE_SECONDS: u32 = 9900;

impl Config {
    /// Checks what types alone do not say.
    ///
    /// # Errors
    /// The first field that cannot be meant.
    pub fn check(&self) -> Result<(), ConfigError> {
        let zones: Vec<_> = self.fleet.subnets.iter().map(|subnet| &subnet.zone).collect();
        let tag = &self.fleet.load_balancer_tag;
        let hops = &self.upgrade.hops;
        let rate = self.rehearsal.requests_per_second;
        let limits = &self.limits;
        let script = limits.agent + Span::seconds(CONFIGURE_SECONDS);
        let checks = [
            (
                limits.configure >= script,
                "limits.configure",
                format!(
                    "a hop takes up to limits.agent and {CONFIGURE_SECONDS} s: anything below {} s would delete the builder in the middle of a migration",
                    script.as_secs()
                ),
            ),
            (self.fleet.size >= 1, "fleet.size", "a fleet has at least 1 member".to_owned()),
            (
                !zones.is_empty(),
                "fleet.subnets",
                "name at least one subnet, as { id = \"subnet-…\", zone = \"…\" }".to_owned(),
            ),
            (
                self.fleet.size <= LARGEST.min(LARGEST_LAUNCH.saturating_mul(zones.len().try_into().unwrap_or(0))),
                "fleet.size",
                format!(
                    "{} members are too many: a fleet has at most {LARGEST}, and at most {LARGEST_LAUNCH} in a zone",
                    self.fleet.size
                ),
            ),
            (
                zones.iter().all(|zone| zones.iter().filter(|other| other == &zone).count() == 1),
                "fleet.subnets",
                "two subnets lie in one zone: name one subnet a zone".to_owned(),
            ),
            (
                zones.iter().all(|zone| zone.region() == zones[0].region()),
                "fleet.subnets",
                "the zones lie in different regions: a fleet lives in one".to_owned(),
            ),
            (
                !self.fleet.security_groups.is_empty(),
                "fleet.security_groups",
                "name at least one security group".to_owned(),
            ),
            (
                !self.fleet.instance_profile.is_empty(),
                "fleet.instance_profile",
                "name the instance profile that lets the SSM agent in".to_owned(),
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
            (
                self.database.connections_per_member >= 1,
                "database.connections_per_member",
                "must be at least 1".to_owned(),
            ),
            (
                self.upgrade.canary >= 1,
                "upgrade.canary",
                "must be at least 1: the first new members to take traffic".to_owned(),
            ),
            (
                !hops.is_empty() && hops.is_sorted(),
                "upgrade.hops",
                "expected the last patch of each minor version, in rising order".to_owned(),
            ),
            (
                hops.windows(2).all(|pair| pair[0].minor() != pair[1].minor()),
                "upgrade.hops",
                "two hops of one minor version: name its last patch alone".to_owned(),
            ),
            (
                (Span::seconds(5)..=Span::minutes(5)).contains(&self.rehearsal.health_check_interval),
                "rehearsal.health_check_interval",
                "AWS takes 5s to 300s".to_owned(),
            ),
            (
                self.rehearsal.deregistration_delay <= Span::minutes(60),
                "rehearsal.deregistration_delay",
                "AWS takes 0s to 3600s".to_owned(),
            ),
            (
                self.limits.all().iter().all(|limit| (Span::minutes(1)..=Span::minutes(48 * 60)).contains(limit)),
                "limits",
                "each is from 1m to 48h".to_owned(),
            ),
            (
                limits.delete >= SHORTEST_DELETE,
                "limits.delete",
                "must be at least 4m: for 3 minutes after a run turned back, something that it asked for may yet appear"
                    .to_owned(),
            ),
            (
                self.upgrade.wanted.is_none() || !self.upgrade.windows.is_empty(),
                "upgrade.wanted",
                "nothing picks it up: name a window in upgrade.windows, or start it with 'fleetwright upgrade'".to_owned(),
            ),
            (
                (1..=100).contains(&self.upgrade.keep_images),
                "upgrade.keep_images",
                "expected 1 to 100: the image to go back to is always kept".to_owned(),
            ),
            (
                self.upgrade.bake.max(self.upgrade.canary_bake) <= Span::minutes(120),
                "upgrade.bake",
                "bake and canary_bake are at most 2h each: an execution may have 25,000 events, and baking is watched \
                 every few seconds; for longer, ask for approval"
                    .to_owned(),
            ),
            (
                rate.is_finite() && (0.0..=10_000.0).contains(&rate),
                "rehearsal.requests_per_second",
                "expected a number from 0 to 10,000".to_owned(),
            ),
            (
                self.prices.member_hour >= 0.0 && self.prices.builder_hour >= 0.0,
                "prices",
                "a price is not negative".to_owned(),
            ),
        ];
        first_wrong(checks)?;
        let quota = self.load_balancer.target_quota;
        self.scaling.as_ref().map_or(Ok(()), |scaling| first_wrong(scaling.checks(quota)))
    }
}

/// Whether it is fine, the field, and what would be right.
type Check = (bool, &'static str, String);

fn first_wrong(checks: impl IntoIterator<Item = Check>) -> Result<(), ConfigError> {
    match checks.into_iter().find(|(fine, _, _)| !fine) {
        Some((_, field, problem)) => Err(ConfigError::Invalid { field, problem }),
        None => Ok(()),
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
                format!("the target group takes {quota} targets, load_balancer.target_quota: {max} members do not fit"),
            ),
            (
                (1..=LARGEST_TARGET).contains(&target_cpu),
                "scaling.target_cpu",
                format!(
                    "{target_cpu} % is no target: expected 1 to {LARGEST_TARGET}, since a CPU that may stand above it has no room to show how far"
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

impl Limits {
    fn all(&self) -> [Span; 9] {
        let Self { launch, agent, backup, configure, stop, image, healthy, delete, approval } = *self;
        [launch, agent, backup, configure, stop, image, healthy, delete, approval]
    }
}
