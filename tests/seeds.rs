//! Rehearsals with many seeds. The latencies differ; the invariants and the limits hold for each.

use fleet::Config;
use fleetwright::rehearse::{Ending, Goal, RehearsalSpec, rehearse};

/// The limit for the time of an upgrade, as a multiple of its physical minimum.
const OVERHEAD: f64 = 1.05;

#[test]
fn no_seed_makes_an_upgrade_lose_requests_or_capacity() {
    for seed in 1..=25 {
        let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
        config.rehearsal.seed = seed;
        let goal = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
        let rehearsed = rehearse(&RehearsalSpec::new(config, goal), &mut |_| {}).unwrap();
        assert_eq!(rehearsed.outcome, Ending::Upgraded, "seed {seed}: {:?}", rehearsed.reason);
        assert_eq!(rehearsed.invariants.violated, Vec::<String>::new(), "seed {seed}");
        assert_eq!(rehearsed.requests.failed, 0, "seed {seed}");
        assert!(rehearsed.capacity.lowest >= rehearsed.capacity.floor, "seed {seed}: {:?}", rehearsed.capacity);
        let overhead = rehearsed.virtual_seconds / rehearsed.limit_seconds;
        assert!(overhead <= OVERHEAD, "seed {seed}: {overhead:.3} of the physical limit");
    }
}

#[test]
fn no_seed_makes_a_scaling_or_golden_image_run_lose_requests() {
    let goals = [
        (Goal::Scale { to: 5 }, Ending::Scaled),
        (Goal::Scale { to: 2 }, Ending::Scaled),
        (Goal::GoldenImage, Ending::ImageTaken),
    ];
    for (goal, ending) in goals {
        for seed in 1..=15 {
            let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
            config.rehearsal.seed = seed;
            let rehearsed = rehearse(&RehearsalSpec::new(config, goal), &mut |_| {}).unwrap();
            assert_eq!(rehearsed.outcome, ending, "{goal:?}, seed {seed}: {:?}", rehearsed.reason);
            assert_eq!(rehearsed.invariants.violated, Vec::<String>::new(), "{goal:?}, seed {seed}");
            assert_eq!(rehearsed.requests.failed, 0, "{goal:?}, seed {seed}");
        }
    }
}
