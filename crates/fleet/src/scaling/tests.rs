mod properties;

use super::*;
use crate::{Config, ConfigError, ImageId, Member, Scaling, Span};
use jiff::Timestamp;

const NOW: i64 = 1_800_000_000;

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW - seconds).unwrap()
}

fn now() -> Timestamp {
    ago(0)
}

/// The sample configuration: 2 to 12 members, a target of 50 %, steps of at most 2 members.
fn config() -> Config {
    Config::from_toml(include_str!("../../../../samplconfig.toml")).unwrap()
}

fn standing(n: usize, image: u32, zone: char, launched: i64) -> ScalingMember {
    ScalingMember {
        member: Member {
            id: format!("i-{n:08x}").parse().unwrap(),
            image: format!("ami-{image:08x}").parse().unwrap(),
            zone: format!("eu-central-1{zone}").parse().unwrap(),
            serves: true,
        },
        launched: ago(launched),
        in_service: Some(ago(launched - 80)),
    }
}

/// A fleet whose members have been in service for hours, with one CPU value for each minute, the latest first.
fn reading(size: usize, cpu: &[f64]) -> Reading {
    let members = (0..size).map(|n| standing(n, 1, 'a', 7200)).collect();
    let points = (1..).zip(cpu).map(|(minute, percent)| CpuPoint { at: ago(60 * minute), percent: *percent });
    Reading { members, cpu: points.collect(), ..Reading::default() }
}

const TOO_LITTLE: &str = "stays at 3: the CPU of the last 10 minutes has gaps: no member is removed";

#[track_caller]
fn check(reading: &Reading, says: &str) {
    assert_eq!(decide(reading, &config(), now()).to_string(), says);
}

#[test]
fn the_fleet_grows_to_the_size_that_brings_the_cpu_to_the_target() {
    check(
        &reading(3, &[60.0; 20]),
        "out from 3 to 4: the CPU is 60.0 % on 3 members: 4 members bring it to the target",
    );
    check(&reading(4, &[50.0; 20]), "stays at 4: the fleet needs 4 members, as many as it has");
    // The lower of two points counts, because a single high point may be over before a member is launched.
    check(
        &reading(4, &[99.0, 60.0]),
        "out from 4 to 5: the CPU is 60.0 % on 4 members: 5 members bring it to the target",
    );
    check(&reading(3, &[99.0, 50.0]), TOO_LITTLE);
    check(&reading(3, &[60.0]), "out from 3 to 4: the CPU is 60.0 % on 3 members: 4 members bring it to the target");
}

#[test]
fn limits_allow_part_of_an_increase_and_are_named() {
    check(
        &reading(6, &[100.0]),
        "out from 6 to 8: the CPU is 100.0 % on 6 members: 12 members bring it to the target; limited by scaling.largest_step",
    );
    check(
        &reading(11, &[90.0]),
        "out from 11 to 12: the CPU is 90.0 % on 11 members: 20 members bring it to the target; limited by scaling.max",
    );
    check(&reading(12, &[90.0]), "stays at 12: the fleet needs 22 members but has 12, which is scaling.max");
    check(&reading(1, &[]), "out from 1 to 2: 1 members are fewer than scaling.min, 2");
    check(&reading(15, &[99.0]), "in from 15 to 12: 15 members are more than scaling.max, 12");
}

#[test]
fn members_leave_only_if_the_others_stay_below_the_target_with_a_margin() {
    check(&reading(4, &[34.0; 20]), "stays at 4: the fleet needs 4 members, as many as it has");
    check(&reading(4, &[33.0; 20]), "in from 4 to 3: the busiest of the last 10 minutes needs 3 members");
    let mut busier = [10.0; 20];
    busier[8] = 40.0;
    check(&reading(4, &busier), "stays at 4: the fleet needs 4 members, as many as it has");
    check(
        &reading(12, &[5.0; 20]),
        "in from 12 to 10: the busiest of the last 10 minutes needs 2 members; limited by scaling.largest_step",
    );
}

#[test]
fn more_connections_than_the_database_allows_are_refused() {
    let mut config = config();
    config.database.max_connections = 8 * config.database.connections_per_member;
    let busy = Reading { others_may_add: 3, ..reading(4, &[70.0]) };
    assert_eq!(
        decide(&busy, &config, now()).to_string(),
        "out from 4 to 5: the CPU is 70.0 % on 4 members: 6 members bring it to the target; limited by database.max_connections"
    );
    let busy = Reading { others_may_add: 4, ..busy };
    assert_eq!(
        decide(&busy, &config, now()).to_string(),
        "refused, stays at 4: database.max_connections: 240 are too few for 6 members: with the 4 that other runs may \
         add, of 30 connections each, they need 300; the fleet keeps 4 members. Raise \
         max_connections, or lower database.connections_per_member or scaling.max"
    );
}

#[test]
fn missing_data_keeps_the_size() {
    let unknown = "stays at 3: the CPU is unknown: no data point describes the fleet as it is now";
    check(&reading(3, &[]), unknown);
    check(&reading(3, &[f64::NAN; 5]), unknown);
    let old = |point: &CpuPoint| point.at < ago(480);
    let mut stale = reading(3, &[90.0; 20]);
    stale.cpu.retain(old);
    check(&stale, unknown);
    let mut gap = reading(4, &[5.0; 20]);
    gap.cpu.retain(|point| old(point) || point.at > ago(180));
    check(&gap, "stays at 4: the CPU of the last 10 minutes has gaps: no member is removed");
    check(&reading(4, &[5.0; 4]), "stays at 4: the CPU of the last 10 minutes has gaps: no member is removed");
    // Points every five minutes are enough.
    let mut basic = reading(4, &[5.0; 20]);
    basic.cpu.retain(|point| (NOW - point.at.as_second()) % 300 == 0);
    check(&basic, "in from 4 to 2: the busiest of the last 10 minutes needs 1 members; limited by scaling.min");
}

#[test]
fn cooldowns_differ_for_growing_and_shrinking() {
    let out = |out: i64, reading: Reading| Reading { last_out: Some(ago(out)), ..reading };
    let gone = |gone: i64, reading: Reading| Reading { last_in: Some(ago(gone)), ..reading };
    check(
        &out(59, reading(3, &[60.0])),
        "stays at 3: the fleet needs 4 members; the cooldown ends at 2027-01-15T08:00:01Z",
    );
    let busy = "out from 3 to 4: the CPU is 60.0 % on 3 members: 4 members bring it to the target";
    check(&out(60, reading(3, &[60.0])), busy);
    check(&gone(90, reading(3, &[60.0])), busy);
    let idle = || reading(4, &[33.0; 20]);
    let cooling = "stays at 4: the fleet needs 3 members; the cooldown ends at 2027-01-15T08:00:01Z";
    check(&out(299, idle()), cooling);
    check(&out(300, idle()), "in from 4 to 3: the busiest of the last 10 minutes needs 3 members");
}

#[test]
fn a_point_counts_with_the_members_in_service_in_its_minute() {
    // The fleet grew to four members at 80 %, and two of them entered service 90 s ago. The point of that minute counts for
    // neither size.
    let mut joined = reading(4, &[40.0, 99.0, 80.0]);
    for one in &mut joined.members[2..] {
        one.in_service = Some(ago(90));
    }
    check(&joined, "stays at 4: the CPU of the last 10 minutes has gaps: no member is removed");
    // The fleet does not grow again because of points from two members while the other two are being launched.
    let mut launching = reading(4, &[80.0; 3]);
    for one in &mut launching.members[2..] {
        (one.launched, one.in_service) = (ago(120), None);
    }
    check(&launching, "stays at 4: the CPU of the last 10 minutes has gaps: no member is removed");
    // Points from before a scale-in do not describe the staying members.
    let left = Reading { last_in: Some(ago(50)), ..reading(3, &[90.0; 20]) };
    check(&left, "stays at 3: the CPU is unknown: no data point describes the fleet as it is now");
}

#[test]
fn the_fleet_grows_to_replace_unhealthy_members() {
    // Three of six members at full load are unhealthy. The other three cannot do the work of six.
    let mut overloaded = reading(6, &[100.0; 20]);
    for one in &mut overloaded.members[3..] {
        one.in_service = None;
    }
    check(
        &overloaded,
        "out from 6 to 8: the CPU is 100.0 % on 3 members: 9 members bring it to the target; limited by scaling.largest_step",
    );
    // The fleet does not shrink by the number of its unhealthy members.
    let mut idle = reading(4, &[40.0; 20]);
    idle.members[0].in_service = None;
    check(&idle, "stays at 4: the fleet needs 4 members, as many as it has");
}

#[test]
fn no_member_leaves_while_another_is_not_warm() {
    let mut warming = reading(4, &[10.0; 20]);
    warming.members[3].in_service = Some(ago(50));
    let decision = decide(&warming, &config(), now());
    assert_eq!(decision.inputs.warm, 3);
    assert!(matches!(decision.action, Action::Hold { reason: Reason::WarmingUp { members: 1, .. } }), "{decision}");
}

#[test]
fn an_order_ignores_cooldowns_and_the_largest_step() {
    let order = |order, size| Reading {
        order: Some(order),
        last_out: Some(ago(1)),
        last_in: Some(ago(1)),
        ..reading(size, &[])
    };
    check(&order(SizeOrder::To(12), 3), "out from 3 to 12: ordered: to 12");
    check(&order(SizeOrder::By(-10), 12), "in from 12 to 2: ordered: by -10");
    check(&order(SizeOrder::To(3), 3), "stays at 3: the fleet needs 3 members, as many as it has");
    check(
        &order(SizeOrder::By(9), 4),
        "refused, stays at 4: ordered: by +9, which would be 13 members: expected 2 to 12, scaling.min to scaling.max",
    );
    check(
        &order(SizeOrder::By(i32::MIN), 4),
        "refused, stays at 4: ordered: by -2147483648, which would be -2147483644 members: expected 2 to 12, scaling.min to scaling.max",
    );
    let mut few = config();
    few.database.max_connections = 100;
    let refused = decide(&order(SizeOrder::To(4), 3), &few, now());
    assert!(matches!(refused.action, Action::Refused { reason: Reason::Connections { needed: 120, .. } }), "{refused}");
    let unscaled = Config { scaling: None, ..config() };
    assert_eq!(decide(&order(SizeOrder::To(4), 3), &unscaled, now()).size(), 4);
    check_held(&decide(&reading(3, &[99.0]), &unscaled, now()), &Reason::NotConfigured);
}

#[track_caller]
fn check_held(decision: &Decision, why: &Reason) {
    assert_eq!(decision.action, Action::Hold { reason: why.clone() });
}

#[test]
fn a_decision_is_recorded_with_its_inputs() {
    let decision = decide(&reading(3, &[60.0, 70.0]), &config(), now());
    let recorded = serde_json::to_value(&decision).unwrap();
    assert_eq!((&recorded["action"], &recorded["to"]), (&"out".into(), &4.into()));
    assert_eq!(recorded["reason"]["why"], "busy");
    assert_eq!(recorded["inputs"]["cpu"][1]["percent"], 60.0);
    assert_eq!(recorded["inputs"]["scaling"]["target_cpu"], 50);
    assert_eq!(serde_json::from_value::<Decision>(recorded).unwrap(), decision);
}

#[test]
fn an_invalid_scaling_section_is_refused_with_its_field() {
    let sample = include_str!("../../../../samplconfig.toml");
    for (line, instead, says) in [
        ("min = 2 ", "min = 13 ", "scaling.min: 13 is above scaling.max, 12"),
        ("min = 2 ", "min = 0 ", "scaling.min: a fleet has at least 1 member"),
        ("max = 12", "max = 5000", "scaling.max: 5000 members are too many: expected at most 4000"),
        ("target_cpu = 50 ", "target_cpu = 0 ", "scaling.target_cpu: 0 % is not a target: expected 1 to 90"),
        ("target_cpu = 50 ", "target_cpu = 91 ", "scaling.target_cpu: 91 % is not a target: expected 1 to 90"),
        ("largest_step = 2 ", "largest_step = 0 ", "scaling.largest_step: must be at least 1"),
        ("cooldown_in = \"5m\"", "cooldown_in = \"25h\"", "scaling.cooldown_in: cooldown_out and cooldown_in"),
        ("warm_up = \"1m\"", "warm_up = \"2h\"", "scaling.warm_up: expected at most 1h"),
    ] {
        assert!(sample.contains(line), "{line}");
        let error: ConfigError = Config::from_toml(&sample.replace(line, instead)).unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}

fn golden() -> ImageId {
    "ami-00000001".parse().unwrap()
}

#[test]
fn other_images_leave_first_then_the_fullest_zone_then_the_oldest() {
    let members = [
        standing(1, 1, 'a', 900),
        standing(2, 1, 'a', 800),
        standing(3, 1, 'b', 1000),
        standing(4, 9, 'b', 100),
        standing(5, 1, 'a', 700),
    ];
    let order: Vec<_> =
        leaving(&members, Some(&golden()), 9).iter().map(|one| one.member.id.as_str()[9..].to_owned()).collect();
    assert_eq!(order, ["4", "1", "2", "3", "5"]);
    assert!(leaving(&members, Some(&golden()), 0).is_empty());
}

#[test]
fn decisions_at_the_edge_of_the_calendar_do_not_fail() {
    for at in [Timestamp::MIN, Timestamp::MAX] {
        let reading = Reading { last_out: Some(Timestamp::MAX), ..reading(3, &[90.0; 3]) };
        check_held(&decide(&reading, &config(), at), &Reason::NoData);
    }
}
