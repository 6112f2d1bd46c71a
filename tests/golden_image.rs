//! A golden image that is taken of a member, by hand: turn it off, snapshot it, turn it on.

use crate::stage::Stage;
use fleet::{Config, Golden, Outcome, Phase};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::invariants::Outcome as Settling;

fn without_an_image(config: &mut Config) {
    config.fleet.golden_image = None;
}

fn ask() -> Value {
    json!({"fleet": "appwrite"})
}

#[test]
fn a_fleet_without_a_golden_image_gets_one_of_a_member_and_scales_with_it() {
    in_virtual_time(async {
        let stage = Stage::with(without_an_image, Vec::new()).await;
        let refused = stage.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
        assert!(refused.starts_with("Refused") && refused.contains("has no golden image"), "{refused}");
        let out = json!({"fleet": "appwrite", "by": 2});
        let refused = stage.run_by(&stage.scale_out, "out-1", out.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("'fleetwright golden-image'"), "{refused}");

        stage.simulator.require(2);
        assert_eq!(stage.run_by(&stage.golden_image, "image-1", ask()).await, "succeeded");
        let (fleet, run) = (stage.fleet().await, stage.record("image-1").await);
        let golden = fleet.golden.clone().unwrap();
        assert_eq!(
            (run.phase, fleet.lock, run.image.as_ref()),
            (Phase::Ended(Outcome::ImageTaken), None, Some(&golden.image))
        );
        let source = run.source.unwrap();
        assert_eq!(golden, Golden { taken_of: Some(source.image), ..Golden::new(golden.image.clone(), run.to) });
        assert_eq!(stage.in_service().await, 3);
        assert_eq!(stage.violations("image-1", Settling::Scaled).await, []);
        assert_eq!(stage.findings().await, [""; 0]);

        stage.simulator.require(3);
        assert_eq!(stage.run_by(&stage.scale_out, "out-2", out).await, "succeeded");
        assert_eq!(stage.in_service().await, 5);
        assert_eq!(stage.violations("out-2", Settling::Scaled).await, []);
        assert_eq!(stage.findings().await, [""; 0]);
    })
    .unwrap();
}
