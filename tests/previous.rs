//! Earlier releases: the ledger still holds their records, and executions that began by their definitions still call these steps.

use crate::fixture::Fixture;
use asl::StateMachine;
use aws_sdk_dynamodb::types::AttributeValue;
use fleet::{Outcome, Phase, Workflow};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::faults::{Fault, Which, WorldFault};
use simulator::invariants::SettledAs as Settling;

/// Items of a release that kept each field as an attribute: a fleet, an ended run, a run that goes forward, and their parts.
const ATTRIBUTES: &str = include_str!("previous/attributes/records.json");
/// Items of the release whose fields have other names: one run of each workflow and outcome, and their parts.
const IDIOMS: &str = include_str!("previous/idioms/records.json");
/// The upgrade's definition of each earlier release.
const UPGRADES: [&str; 2] =
    [include_str!("previous/attributes/upgrade.asl.json"), include_str!("previous/idioms/upgrade.asl.json")];

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => {
            let fields = value.as_object().unwrap().iter();
            AttributeValue::M(fields.map(|(key, value)| (key.clone(), attribute(value))).collect())
        }
        other => panic!("{other} in the records"),
    }
}

/// Puts the items of an earlier release into the ledger's table.
async fn put(fixture: &Fixture, items: &str) {
    let table = aws_sdk_dynamodb::Client::new(&fixture.console());
    let items: Vec<Value> = serde_json::from_str(items).unwrap();
    for item in &items {
        let item = item.as_object().unwrap().iter().map(|(key, value)| (key.clone(), attribute(value)));
        table.put_item().table_name("fleetwright").set_item(Some(item.collect())).send().await.unwrap();
    }
}

#[test]
fn records_with_an_attribute_for_each_field_are_read_with_the_defaults_of_their_time() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        put(&fixture, ATTRIBUTES).await;
        let fleet = fixture.fleet().await;
        assert_eq!(fleet.version().to_string(), "1.4.14");
        let kept = fleet.last_good().unwrap();
        assert_eq!((kept.image.clone(), kept.version.to_string()), (fixture.first_image(), "1.3.8".to_owned()));
        let lock = fleet.lock.as_ref().unwrap();
        assert_eq!((lock.run.as_str(), lock.lease), ("run-2", None));

        let ended = fixture.record("run-1").await;
        assert_eq!(ended.phase, Phase::Ended(Outcome::Upgraded));
        assert_eq!(ended.migrations().len(), 1);
        let going = fixture.record("run-2").await;
        assert_eq!((&going.phase, going.backup, going.image_failure), (&Phase::Forward, None, None));
        let ledger = fixture.reader();
        let ledger = ledger.ledger();
        assert_eq!(ledger.before(&fixture.run_ref("run-2")).await.unwrap().members.len(), 3);
        assert_eq!(ledger.staying_members(&fixture.run_ref("run-1")).await.unwrap().ids.len(), 3);
        assert_eq!(ledger.steps(&fixture.run_ref("run-1")).await.unwrap().len(), 3);
    })
    .unwrap();
}

#[test]
fn records_whose_fields_had_other_names_are_read_whole() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        put(&fixture, IDIOMS).await;
        let quarantined = fixture.fleet().await.images.into_iter().filter(|kept| kept.quarantine.is_some());
        assert_eq!(quarantined.count(), 1);

        let rolled_back = fixture.record("upgrade-rolled-back").await;
        assert_eq!(rolled_back.phase, Phase::Ended(Outcome::RolledBack));
        assert!(rolled_back.rolled_back.is_some() && rolled_back.resumed.is_some());
        assert_eq!(rolled_back.resumed_by.as_ref().map(|by| by.as_str()), Some("repair-1"));
        assert!(rolled_back.image_failure.is_some_and(|why| why.contains("not healthy")));
        let reverted = fixture.record("rollback-reverted").await;
        assert_eq!((reverted.workflow, &reverted.phase), (Workflow::Revert, &Phase::Ended(Outcome::Reverted)));
        assert!(reverted.joins_closed && reverted.committed.is_some());
        let restored = fixture.record("repair-restored").await;
        assert_eq!((restored.workflow, &restored.phase), (Workflow::Restore, &Phase::Ended(Outcome::Restored)));
        let scaled = fixture.record("scale-out-scaled").await;
        assert_eq!((scaled.abandoned.len(), scaled.joins.is_some()), (1, true));
        assert_eq!(fixture.record("upgrade-upgraded").await.joined.len(), 1);
        assert!(fixture.record("golden-image-image-taken").await.source.is_some());
        assert!(fixture.record("upgrade-rolled-back-2").await.abort.is_some());
        assert_eq!(fixture.record("upgrade-forward").await.phase, Phase::Forward);

        let aws = fixture.reader();
        assert_eq!(aws.ledger().runs(&fixture.config.fleet.name).await.unwrap().len(), 10);
        let scale_in = fixture.run_ref("scale-in-scaled");
        assert_eq!(aws.ledger().steps(&scale_in).await.unwrap().len(), 4);
        assert!(!aws.ledger().staying_members(&scale_in).await.unwrap().ids.is_empty());
        assert!(!aws.ledger().before(&scale_in).await.unwrap().members.is_empty());
    })
    .unwrap();
}

#[test]
fn executions_of_earlier_definitions_upgrade_or_roll_back_with_these_steps() {
    let unhealthy = || vec![Fault::world(WorldFault::TargetNeverHealthy(Which::First))];
    for definition in UPGRADES {
        for (faults, expected, settling) in
            [(Vec::new(), "succeeded", Settling::Upgraded), (unhealthy(), "RolledBack", Settling::RolledBack)]
        {
            in_virtual_time(async {
                let mut fixture = Fixture::with(|_| {}, faults).await;
                fixture.machine = StateMachine::parse(definition).unwrap();
                let ended = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
                assert!(ended.starts_with(expected), "{ended}");
                assert_eq!(fixture.violations("run-1", settling).await, []);
                assert_eq!(fixture.fleet().await.lock, None);
            })
            .unwrap();
        }
    }
}

#[test]
fn executions_of_earlier_definitions_scale_and_take_an_image_with_these_steps() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        let definitions = [
            (include_str!("previous/idioms/scale-out.asl.json"), "out-1", json!({"fleet": "appwrite", "to": 5})),
            (include_str!("previous/idioms/scale-in.asl.json"), "in-1", json!({"fleet": "appwrite", "to": 4})),
            (include_str!("previous/idioms/golden-image.asl.json"), "image-1", json!({"fleet": "appwrite"})),
        ];
        for (definition, name, input) in definitions {
            let machine = StateMachine::parse(definition).unwrap();
            assert_eq!(fixture.run_by(&machine, name, input).await, "succeeded");
        }
        assert_eq!(fixture.fleet().await.lock, None);
    })
    .unwrap();
}

#[test]
fn a_record_is_json_text_beside_its_key_and_the_parts_of_an_ended_run_expire() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
        for item in fixture.simulator.items() {
            let item = item.as_object().unwrap();
            let of_a_run = item["sk"]["S"] != "fleet";
            let attributes: Vec<_> = item.keys().map(String::as_str).collect();
            let expires = of_a_run.then_some("expires");
            let wanted: Vec<_> = expires.into_iter().chain(["pk", "record", "sk", "writing"]).collect();
            assert_eq!(attributes, wanted);
            assert!(serde_json::from_str::<Value>(item["record"]["S"].as_str().unwrap()).unwrap().is_object());
        }
        assert!(fixture.simulator.items().len() > 20);
    })
    .unwrap();
}
