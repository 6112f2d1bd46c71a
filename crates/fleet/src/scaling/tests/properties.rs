//! Properties that hold for every reading and every configuration.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn any_scaling() -> impl Strategy<Value = Scaling> {
    (1u32..8, 0u32..12, 1u32..=90, 1u32..6, 0u32..400, 0u32..900, 0u32..300).prop_map(
        |(min, more, target_cpu, largest_step, cooldown_out, cooldown_in, warm_up)| Scaling {
            min,
            max: min + more,
            target_cpu,
            largest_step,
            cooldown_out: Span::seconds(cooldown_out),
            cooldown_in: Span::seconds(cooldown_in),
            warm_up: Span::seconds(warm_up),
        },
    )
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let member = (1u32..3, proptest::char::range('a', 'c'), 100i64..2000, proptest::option::weighted(0.9, 0i64..1500));
    let point = (0i64..25, 0.0..100.0f64);
    let ended = || proptest::option::of(0i64..1500);
    let many = proptest::collection::vec(member, 0..20);
    (many, proptest::collection::vec(point, 0..25), ended(), ended(), 0u32..9).prop_map(
        |(members, points, last_out, last_in, others_may_add)| Reading {
            members: (0..)
                .zip(members)
                .map(|(n, (image, zone, launched, since))| ScalingMember {
                    in_service: since.map(ago),
                    ..standing(n, image, zone, launched)
                })
                .collect(),
            cpu: points.into_iter().map(|(minute, percent)| CpuPoint { at: ago(60 * minute), percent }).collect(),
            last_out: last_out.map(ago),
            last_in: last_in.map(ago),
            others_may_add,
            order: None,
        },
    )
}

fn any_case() -> impl Strategy<Value = (Reading, Config)> {
    (any_reading(), any_scaling(), 0u32..900).prop_map(|(reading, scaling, max_connections)| {
        let mut config = Config { scaling: Some(scaling), ..config() };
        config.database.max_connections = max_connections;
        (reading, config)
    })
}

proptest! {
    #[test]
    fn a_size_is_between_min_and_max_or_grows_towards_min((reading, config) in any_case()) {
        let (decision, scaling) = (decide(&reading, &config, now()), config.scaling.unwrap());
        let (size, before) = (decision.size(), decision.inputs.size);
        let within = (scaling.min..=scaling.max).contains(&size);
        prop_assert!(within || (before <= size && size < scaling.min), "{}", decision);
        if size > before {
            prop_assert!((size + reading.others_may_add) * 30 <= config.database.max_connections, "{}", decision);
        }
        if (scaling.min..=scaling.max).contains(&before) {
            prop_assert!(size.abs_diff(before) <= scaling.largest_step, "{}", decision);
        }
    }

    #[test]
    fn members_leave_only_if_the_others_can_do_the_work((reading, config) in any_case()) {
        let (decision, scaling) = (decide(&reading, &config, now()), config.scaling.unwrap());
        if let (Action::In { to, .. }, true) = (&decision.action, decision.inputs.size <= scaling.max) {
            // The staying members would have kept even the busiest minute at or below the target.
            for seen in &decision.inputs.cpu {
                let after = seen.percent * f64::from(seen.in_service) / f64::from(*to);
                prop_assert!(after <= f64::from(scaling.target_cpu), "{} at {}", after, seen.at);
            }
        }
    }

    #[test]
    fn more_cpu_never_means_fewer_members((reading, config) in any_case(), more in 0.0..50.0f64) {
        let mut busier = reading.clone();
        for point in &mut busier.cpu {
            point.percent += more;
        }
        prop_assert!(decide(&reading, &config, now()).size() <= decide(&busier, &config, now()).size());
    }

    #[test]
    fn added_members_bring_the_cpu_to_the_target_and_one_fewer_would_not((reading, config) in any_case()) {
        let decision = decide(&reading, &config, now());
        if let Action::Out { to, reason: Reason::Busy { limit: Limit::None, percent, in_service, .. } } = decision.action {
            let target = f64::from(config.scaling.unwrap().target_cpu);
            let work = percent * f64::from(in_service);
            let unhealthy = |one: &&ScalingMember| one.in_service.is_none() && one.launched <= ago(15 * 60);
            let at_work = to - reading.members.iter().filter(unhealthy).count() as u32;
            prop_assert!(work / f64::from(at_work) <= target + 1e-6);
            prop_assert!(work / f64::from(at_work - 1) > target);
        }
    }

    #[test]
    fn the_order_of_the_observations_does_not_matter((reading, config) in any_case(), by in 0usize..20) {
        let mut turned = reading.clone();
        let (members, points) = (turned.members.len().max(1), turned.cpu.len().max(1));
        turned.members.rotate_left(by % members);
        turned.cpu.reverse();
        turned.cpu.rotate_left(by % points);
        prop_assert_eq!(decide(&reading, &config, now()), decide(&turned, &config, now()));
        let leaves = |reading: &Reading| -> Vec<_> {
            leaving(&reading.members, Some(&golden()), 5).into_iter().cloned().collect()
        };
        prop_assert_eq!(leaves(&reading), leaves(&turned));
    }

    #[test]
    fn members_out_of_service_leave_first_then_other_images_and_zones_stay_balanced(reading in any_reading(), k in 0u32..20) {
        let gone = leaving(&reading.members, Some(&golden()), k);
        prop_assert_eq!(gone.len(), reading.members.len().min(k as usize));
        prop_assert!(gone.is_sorted_by_key(|one| (one.in_service.is_some(), one.member.image == golden())));
        let mut zones: BTreeMap<_, usize> = BTreeMap::new();
        let stays = reading.members.iter().filter(|one| !gone.contains(one));
        stays.for_each(|one| *zones.entry(&one.member.zone).or_default() += 1);
        // A member of the golden image leaves only from a zone with at least as many members as any other.
        if let Some(last) = gone.last().filter(|last| last.in_service.is_some() && last.member.image == golden()) {
            let here = zones.get(&last.member.zone).copied().unwrap_or(0);
            prop_assert!(zones.values().all(|others| *others <= here + 1));
        }
    }

    #[test]
    fn a_steady_load_settles(work in 1.0..700.0f64, size in 2usize..12) {
        // From any size, a few decisions on the same work result in one size, which then stays.
        let mut size = size;
        for _ in 0..20 {
            let cpu = (work / size as f64).min(100.0);
            size = decide(&reading(size, &[cpu; 20]), &config(), now()).size() as usize;
        }
        let cpu = (work / size as f64).min(100.0);
        let last = decide(&reading(size, &[cpu; 20]), &config(), now());
        prop_assert!(matches!(last.action, Action::Hold { .. }), "{}", last);
        prop_assert!(cpu <= 50.0 + 1e-6 || size == 12);
    }
}
