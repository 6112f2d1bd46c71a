//! Rehearsals by command line, with recorded output. To add one, add a file of arguments to `scenarios/`.

use crate::command::rehearse;
use serde_json::Value;

#[test]
fn scenarios_come_out_as_recorded() {
    insta::glob!("scenarios/*.args", |file| {
        let line = std::fs::read_to_string(file).unwrap();
        let ran = rehearse(line.trim());
        insta::assert_snapshot!(format!("{}\n--- standard error, exit {:?}\n{}", ran.out, ran.exit, ran.err));
    });
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
    let json = |seed: u32| rehearse(&format!("--to 1.4.14 --output json --seed {seed}")).out;
    assert_eq!(json(7), json(7));
    assert_ne!(json(7), json(8));
}

#[test]
fn the_json_has_the_documented_fields() {
    let object: Value = serde_json::from_str(&rehearse("--to 1.4.14 --output json").out).unwrap();
    let mut keys: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let documented = [
        "calls",
        "capacity",
        "cost_usd",
        "definition_sha256",
        "from",
        "invariants",
        "limit_seconds",
        "members",
        "outcome",
        "requests",
        "schema_version",
        "seed",
        "size",
        "steps",
        "to",
        "transitions",
        "virtual_seconds",
        "workflow",
    ];
    assert_eq!(keys, documented);
    assert_eq!(
        (&object["outcome"], &object["from"], &object["to"]),
        (&"upgraded".into(), &"1.3.8".into(), &"1.4.14".into())
    );
    let seconds = |key: &str| object[key].as_f64().unwrap();
    assert!(seconds("limit_seconds") < seconds("virtual_seconds"));
    for member in object["members"].as_array().unwrap() {
        assert_eq!((&member["version"], &member["in_service"]), (&"1.4.14".into(), &true.into()));
    }
}

#[test]
fn calls_grow_with_batches_not_with_members() {
    let calls = |size: u32| {
        let ran = rehearse(&format!("--to 1.4.14 --output json --size {size}"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(object["outcome"], "upgraded");
        object["calls"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    let (few, many) = (calls(3), calls(150));
    assert!(many < few + few / 4, "{few} calls for 3 members, {many} for 150");
}
