//! Decides which launches to request, so that a role gets as many instances as it needs.
//!
//! A zone without capacity launches fewer instances than requested. An instance can go from `pending` directly to
//! `terminated`. In both cases, another round launches the missing instances in the zones that had capacity.

use crate::{Subnet, SubnetId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// If instances are still missing after this many rounds, something other than capacity is wrong.
const ROUNDS: u32 = 5;

/// What a run launches an instance for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The builder, on which an upgrade installs and migrates each hop.
    Builder,
    /// A member of the fleet.
    Member,
}

impl Role {
    /// The role whose tag has this value.
    pub fn named(value: &str) -> Option<Self> {
        [Self::Builder, Self::Member].into_iter().find(|role| role.as_str() == value)
    }

    /// The value of the role's tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Member => "member",
        }
    }
}

/// One launch. A run records it before the request, and again when the answer is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The role of the instances.
    pub role: Role,
    /// The subnet of the instances.
    pub subnet: SubnetId,
    /// 0 for the first round of a role, then one more for each round that launches missing instances.
    pub round: u32,
    /// How many instances the run requests.
    pub wanted: u32,
    /// How many instances EC2 launched, once it has answered.
    pub launched: Option<u32>,
    /// Why EC2 launched fewer, in its own words.
    pub shortage: Option<String>,
    /// When the launch was first recorded.
    pub at: Timestamp,
}

/// The next launches of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLaunches {
    /// As many instances are alive as are wanted.
    Enough,
    /// Record and request these launches.
    Ask(Vec<Launch>),
    /// No zone can launch more instances, for this reason.
    Exhausted(String),
}

/// Decides the next launches of a role from its earlier ones, all of which EC2 has answered, and from the number of their
/// instances that are `alive`.
pub fn next_launches(
    role: Role,
    wanted: u32,
    alive: u32,
    so_far: &[&Launch],
    subnets: &[Subnet],
    now: Timestamp,
) -> NextLaunches {
    let Some(missing @ 1..) = wanted.checked_sub(alive) else { return NextLaunches::Enough };
    let short: BTreeSet<_> =
        so_far.iter().filter(|launch| launch.shortage.is_some()).map(|launch| &launch.subnet).collect();
    let open: Vec<_> = subnets.iter().filter(|subnet| !short.contains(&subnet.id)).collect();
    let round = so_far.iter().map(|launch| launch.round + 1).max().unwrap_or(0);
    if open.is_empty() || round >= ROUNDS {
        let why = so_far.iter().rev().find_map(|launch| launch.shortage.as_deref());
        let why = why.unwrap_or("its instances keep terminating before they run");
        return NextLaunches::Exhausted(format!("{missing} of {wanted} could not be launched: {why}"));
    }
    let shares = spread(missing, open.len());
    let launches = open.iter().zip(shares).filter(|(_, share)| *share > 0).map(|(subnet, share)| Launch {
        role,
        subnet: subnet.id.clone(),
        round,
        wanted: share,
        launched: None,
        shortage: None,
        at: now,
    });
    NextLaunches::Ask(launches.collect())
}

/// Spreads `count` instances over `zones` as evenly as possible. The first zones get the remainder.
///
/// Returns one number for each zone, in order. Their sum is `count`, unless there are no zones.
pub fn spread(count: u32, zones: usize) -> Vec<u32> {
    let Ok(zones @ 1..) = u32::try_from(zones) else { return Vec::new() };
    (0..zones).map(|zone| count / zones + u32::from(zone < count % zones)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subnets() -> Vec<Subnet> {
        ["a", "b", "c"]
            .iter()
            .map(|zone| Subnet {
                id: format!("subnet-0000000{zone}").parse().unwrap(),
                zone: format!("eu-central-1{zone}").parse().unwrap(),
            })
            .collect()
    }

    fn next(wanted: u32, alive: u32, so_far: &[Launch]) -> NextLaunches {
        next_launches(
            Role::Member,
            wanted,
            alive,
            &so_far.iter().collect::<Vec<_>>(),
            &subnets(),
            Timestamp::UNIX_EPOCH,
        )
    }

    fn asked(next: &NextLaunches) -> Vec<(String, u32, u32)> {
        let NextLaunches::Ask(launches) = next else { panic!("{next:?}") };
        launches.iter().map(|l| (l.subnet.to_string(), l.round, l.wanted)).collect()
    }

    fn settled(zone: &str, wanted: u32, launched: u32) -> Launch {
        let shortage = (launched < wanted).then(|| format!("no capacity in {zone}"));
        let subnet = format!("subnet-0000000{zone}").parse().unwrap();
        Launch {
            role: Role::Member,
            subnet,
            round: 0,
            wanted,
            launched: Some(launched),
            shortage,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_first_round_spreads_over_all_zones() {
        let expected =
            [("subnet-0000000a".into(), 0, 2), ("subnet-0000000b".into(), 0, 1), ("subnet-0000000c".into(), 0, 1)];
        assert_eq!(asked(&next(4, 0, &[])), expected);
    }

    #[test]
    fn other_zones_launch_what_a_short_zone_could_not() {
        let so_far = [settled("a", 2, 0), settled("b", 2, 2), settled("c", 2, 2)];
        assert_eq!(asked(&next(6, 4, &so_far)), [("subnet-0000000b".into(), 1, 1), ("subnet-0000000c".into(), 1, 1)]);
    }

    #[test]
    fn with_every_zone_short_the_launch_is_exhausted_with_the_reason() {
        let so_far = [settled("a", 1, 0), settled("b", 1, 0), settled("c", 1, 0)];
        let expected = "3 of 3 could not be launched: no capacity in c".to_owned();
        assert_eq!(next(3, 0, &so_far), NextLaunches::Exhausted(expected));
    }

    #[test]
    fn nothing_is_launched_when_enough_instances_are_alive() {
        assert_eq!(next(3, 3, &[settled("a", 3, 3)]), NextLaunches::Enough);
    }

    #[test]
    fn the_first_zones_get_the_remainder() {
        assert_eq!(spread(3, 3), [1, 1, 1]);
        assert_eq!(spread(4, 3), [2, 1, 1]);
        assert_eq!(spread(1, 2), [1, 0]);
        assert_eq!(spread(5, 0), [0; 0]);
    }

    proptest! {
        #[test]
        fn the_sum_is_kept_and_zones_differ_by_at_most_one(count in 0u32..5000, zones in 1usize..7) {
            let parts = spread(count, zones);
            prop_assert_eq!(parts.iter().sum::<u32>(), count);
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
