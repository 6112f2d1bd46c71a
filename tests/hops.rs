//! The path of an upgrade runs every migration class in turn, and a path that skips one does not pass unnoticed.

use fleet::{Config, Version};
use fleetwright::rehearse::{Ending, Goal, RehearsalSpec, Rehearsed, rehearse};

fn upgrade(from: &str, to: &str, change: impl FnOnce(&mut Config)) -> Rehearsed {
    let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    config.fleet.version = from.parse().unwrap();
    change(&mut config);
    rehearse(&RehearsalSpec::new(config, Goal::Upgrade { to: to.parse().unwrap() }), &mut |_| {}).unwrap()
}

fn migrations(rehearsed: &Rehearsed) -> usize {
    rehearsed.steps.iter().filter(|step| step.name == "Install and migrate").count()
}

#[test]
fn an_upgrade_from_1_8_installs_1_9_5_before_1_9_6() {
    let rehearsed = upgrade("1.8.1", "1.9.6", |_| {});
    assert_eq!((rehearsed.outcome, migrations(&rehearsed)), (Ending::Upgraded, 2), "{:?}", rehearsed.reason);
}

#[test]
fn an_upgrade_from_1_3_8_reaches_2_7() {
    let rehearsed = upgrade("1.3.8", "2.7.1", |_| {});
    assert_eq!((rehearsed.outcome, migrations(&rehearsed)), (Ending::Upgraded, 9), "{:?}", rehearsed.reason);
}

#[test]
fn a_hop_list_that_skips_a_class_ends_in_a_rollback() {
    let rehearsed = upgrade("1.8.1", "1.9.6", |config| {
        config.upgrade.hops = vec![Version::new(1, 8, 1), Version::new(1, 9, 6)];
    });
    assert_eq!(rehearsed.outcome, Ending::RolledBack);
    assert!(rehearsed.reason.as_ref().is_some_and(|why| why.contains("doesn't exist")), "{:?}", rehearsed.reason);
}
