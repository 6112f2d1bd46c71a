//! The release before this one: its executions go on by its definition, and its records stand in the ledger.

use crate::fixture::Fixture;
use asl::StateMachine;
use aws_sdk_dynamodb::types::AttributeValue;
use fleet::{Outcome, Phase};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::faults::{Fault, Which, WorldFault};
use simulator::invariants::SettledAs as Settling;

/// The definition of the release before.
const DEFINITION: &str = include_str!("previous/upgrade.asl.json");
/// Items of its ledger: a fleet, a run that ended, one that was going, and what belongs to them.
const RECORDS: &str = include_str!("previous/records.json");

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

#[test]
fn records_of_the_release_before_are_read_and_what_they_lack_is_as_it_was_then() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
        let table = aws_sdk_dynamodb::Client::new(&fixture.console());
        let items: Vec<Value> = serde_json::from_str(RECORDS).unwrap();
        for item in &items {
            let item = item.as_object().unwrap().iter().map(|(key, value)| (key.clone(), attribute(value)));
            table.put_item().table_name("fleetwright").set_item(Some(item.collect())).send().await.unwrap();
        }
        let fleet = fixture.fleet().await;
        assert_eq!(fleet.version().to_string(), "1.4.14");
        let kept = fleet.last_good().unwrap();
        assert_eq!((kept.image.clone(), kept.version.to_string()), (fixture.first_image(), "1.3.8".to_owned()));
        let lock = fleet.lock.as_ref().unwrap();
        assert_eq!((lock.run.as_str(), lock.lease), ("run-2", None));

        let over = fixture.record("run-1").await;
        assert_eq!(over.phase, Phase::Ended(Outcome::Upgraded));
        assert_eq!(over.migrations().len(), 1);
        let going = fixture.record("run-2").await;
        assert_eq!((&going.phase, going.backup, going.image_failure), (&Phase::Forward, None, None));
        let ledger = fixture.anyone();
        let ledger = ledger.ledger();
        assert_eq!(ledger.before(&fixture.run_ref("run-2")).await.unwrap().members.len(), 3);
        assert_eq!(ledger.staying_members(&fixture.run_ref("run-1")).await.unwrap().ids.len(), 3);
        assert_eq!(ledger.steps(&fixture.run_ref("run-1")).await.unwrap().len(), 3);
    })
    .unwrap();
}

#[test]
fn executions_of_the_definition_before_go_through_or_back_with_these_steps() {
    let unhealthy = || vec![Fault::world(WorldFault::TargetNeverHealthy(Which::First))];
    for (faults, expected, settling) in
        [(Vec::new(), "succeeded", Settling::Upgraded), (unhealthy(), "RolledBack", Settling::RolledBack)]
    {
        in_virtual_time(async {
            let mut fixture = Fixture::with(|_| {}, faults).await;
            fixture.machine = StateMachine::parse(DEFINITION).unwrap();
            let ended = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
            assert!(ended.starts_with(expected), "{ended}");
            assert_eq!(fixture.violations("run-1", settling).await, []);
            assert_eq!(fixture.fleet().await.lock, None);
        })
        .unwrap();
    }
}

#[test]
fn what_is_written_is_json_text_beside_the_key_and_what_belongs_to_a_run_that_is_over_is_forgotten() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
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
