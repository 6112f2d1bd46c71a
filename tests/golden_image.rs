//! Golden-image runs: they stop a member, make an image of it and start it again.

use crate::fixture::Fixture;
use fleet::{Config, Golden, Outcome, Phase};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::faults::{Fault, WorldFault};
use simulator::invariants::SettledAs as Settling;

fn without_an_image(config: &mut Config) {
    config.fleet.golden_image = None;
}

fn ask() -> Value {
    json!({"fleet": "appwrite"})
}

#[test]
fn a_fleet_without_a_golden_image_gets_one_from_a_member_and_scales_out_with_it() {
    in_virtual_time(async {
        let fixture = Fixture::with(without_an_image, Vec::new()).await;
        let refused = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
        assert!(refused.starts_with("Refused") && refused.contains("has no golden image"), "{refused}");
        let out = json!({"fleet": "appwrite", "by": 2});
        let refused = fixture.run_by(&fixture.scale_out, "out-1", out.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("'fleetwright golden-image'"), "{refused}");

        fixture.simulator.require_in_service(2);
        assert_eq!(fixture.run_by(&fixture.golden_image, "image-1", ask()).await, "succeeded");
        let (fleet, run) = (fixture.fleet().await, fixture.record("image-1").await);
        let golden = fleet.golden.clone().unwrap();
        assert_eq!(
            (run.phase, fleet.lock, run.image.as_ref()),
            (Phase::Ended(Outcome::ImageTaken), None, Some(&golden.image))
        );
        let source = run.source.unwrap();
        let alike = [source.image].into();
        assert_eq!(golden, Golden { alike, ..Golden::new(golden.image.clone(), run.to) });
        assert_eq!(fixture.in_service().await, 3);
        assert_eq!(fixture.violations("image-1", Settling::ImageTaken).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);

        fixture.simulator.require_in_service(3);
        assert_eq!(fixture.run_by(&fixture.scale_out, "out-2", out).await, "succeeded");
        assert_eq!(fixture.in_service().await, 5);
        assert_eq!(fixture.violations("out-2", Settling::Scaled).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn the_only_member_leaves_service_only_if_the_order_accepts_downtime() {
    in_virtual_time(async {
        let alone = |config: &mut Config| {
            without_an_image(config);
            config.fleet.size = 1;
        };
        let fixture = Fixture::with(alone, Vec::new()).await;
        let refused = fixture.run_by(&fixture.golden_image, "image-1", ask()).await;
        assert!(refused.starts_with("Refused") && refused.contains("is the only member in service"), "{refused}");
        assert_eq!(fixture.fleet().await.golden, None);

        fixture.simulator.require_in_service(0);
        let anyway = json!({"fleet": "appwrite", "downtime": true});
        assert_eq!(fixture.run_by(&fixture.golden_image, "image-2", anyway).await, "succeeded");
        assert_eq!(fixture.in_service().await, 1);
        // Requests fail while no member is in service. The order accepts this.
        let violated = fixture.violations("image-2", Settling::ImageTaken).await;
        assert!(violated.iter().all(|one| one.invariant == "capacity-and-requests"), "{violated:?}");
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_golden_image_run_accepts_a_member_in_service_and_no_other_fields() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        let member = fixture.aws("observe").instances_of_fleet(&fixture.config.fleet.name).await.unwrap()[1].id.clone();
        let untagged = "i-0123456789abcdef0";
        let cases = [
            (
                json!({"fleet": "appwrite", "member": untagged}),
                format!("{untagged} does not carry the load-balancer tag"),
            ),
            (json!({"fleet": "appwrite", "to": "1.4.14"}), "expected \\\"fleet\\\"".to_owned()),
            (json!({"fleet": "nobody"}), "'nobody' is not in the ledger".to_owned()),
        ];
        for (n, (input, why)) in cases.into_iter().enumerate() {
            let refused = fixture.run_by(&fixture.golden_image, &format!("image-{n}"), input).await;
            assert!(refused.starts_with("Refused") && refused.contains(&why), "{refused}");
        }
        let upgrade = fixture.run("run-1", json!({"fleet": "appwrite", "member": member})).await;
        assert!(upgrade.starts_with("Refused"), "{upgrade}");

        // A fleet that has a golden image gets another, and keeps the one before.
        fixture.simulator.require_in_service(2);
        let named = json!({"fleet": "appwrite", "member": member});
        assert_eq!(fixture.run_by(&fixture.golden_image, "image-9", named).await, "succeeded");
        let fleet = fixture.fleet().await;
        assert_eq!(fixture.record("image-9").await.source.unwrap().id, member);
        assert_eq!(fleet.images.iter().map(|kept| &kept.image).collect::<Vec<_>>(), [&fixture.first_image()]);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

/// The version of such a member is unknown.
#[test]
fn no_image_is_taken_of_a_clone_of_another_image() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        let mut fleet = fixture.reader().ledger().fleet(&fixture.config.fleet.name).await.unwrap().unwrap();
        fleet.record.golden = Some(Golden::new("ami-0000000f".parse().unwrap(), "1.4.14".parse().unwrap()));
        fixture.aws("begin").ledger().write(&mut fleet).await.unwrap();
        let refused = fixture.run_by(&fixture.golden_image, "image-1", ask()).await;
        assert!(
            refused.starts_with("Refused") && refused.contains("not a clone of the golden image ami-0000000f"),
            "{refused}"
        );
    })
    .unwrap();
}

#[test]
fn an_image_is_taken_only_in_a_window() {
    in_virtual_time(async {
        let later = |config: &mut Config| {
            let window = json!([{"days": ["mon"], "from": "02:00", "to": "05:00", "time_zone": "UTC"}]);
            config.upgrade.windows = serde_json::from_value(window).unwrap();
        };
        let fixture = Fixture::with(later, Vec::new()).await;
        let refused = fixture.run_by(&fixture.golden_image, "image-1", ask()).await;
        assert!(refused.starts_with("Refused") && refused.contains("upgrade.windows: no window is open"), "{refused}");
    })
    .unwrap();
}

/// The zone of a stopped instance can run out of capacity.
#[test]
fn a_source_member_that_does_not_start_freezes_the_run_and_a_repair_starts_it() {
    in_virtual_time(async {
        let full = Fault::on("StartInstances").always().error("InsufficientInstanceCapacity");
        let fixture = Fixture::with(|_| {}, vec![full]).await;
        fixture.simulator.require_in_service(2);
        let frozen = fixture.run_by(&fixture.golden_image, "image-1", ask()).await;
        assert!(frozen.starts_with("Frozen") && frozen.contains("InsufficientInstanceCapacity"), "{frozen}");
        assert_eq!(
            (fixture.in_service().await, fixture.record("image-1").await.phase),
            (2, Phase::Ended(Outcome::Frozen))
        );

        fixture.simulator.disarm_call_faults();
        let repair = json!({"fleet": "appwrite", "repair": "image-1"});
        let by_another = fixture.run("repair-0", repair.clone()).await;
        assert!(
            by_another.starts_with("Refused")
                && by_another.contains("a run of the state machine fleetwright-golden-image"),
            "{by_another}"
        );
        let repaired = fixture.run_by(&fixture.golden_image, "repair-1", repair).await;
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
        assert_eq!((fixture.in_service().await, fixture.fleet().await.lock), (3, None));
        assert_eq!(fixture.violations("image-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_failed_image_is_deleted_and_its_source_member_returns_to_service() {
    in_virtual_time(async {
        let fixture = Fixture::with(without_an_image, vec![Fault::world(WorldFault::ImageFails)]).await;
        fixture.simulator.require_in_service(2);
        let back = fixture.run_by(&fixture.golden_image, "image-1", ask()).await;
        assert!(back.starts_with("RolledBack") && back.contains("is failed"), "{back}");
        assert_eq!((fixture.in_service().await, fixture.fleet().await.golden), (3, None));
        assert_eq!(fixture.violations("image-1", Settling::RolledBack).await, []);
    })
    .unwrap();
}

#[test]
fn a_scale_out_waits_for_a_golden_image_run_and_launches_from_its_image() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        fixture.simulator.require_in_service(2);
        let image = fixture.run_by(&fixture.golden_image, "image-1", ask());
        let out = async {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
            fixture.run_by(&fixture.scale_out, "out-1", json!({"fleet": "appwrite", "by": 1})).await
        };
        let (image, out) = futures_util::future::join(image, out).await;
        assert_eq!((image.as_str(), out.as_str()), ("succeeded", "succeeded"));
        assert_eq!(fixture.in_service().await, 4);
        let golden = fixture.fleet().await.golden.unwrap().image;
        assert_eq!(fixture.record("out-1").await.image, Some(golden));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);
    })
    .unwrap();
}
