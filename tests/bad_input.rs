//! Invalid input gives one message that names the file, the field and the expected value. It changes nothing.

use crate::command::{Ran, rehearse};
use crate::emulators::{Scratch, file};
use fleetwright::Exit;
use serde_json::Value;

/// Rehearses with the sample configuration, in which `to` replaces the first `from`.
fn with(from: &str, to: &str, line: &str) -> Ran {
    let sample = std::fs::read_to_string(file("samplconfig.toml")).unwrap();
    assert!(sample.contains(from), "the sample configuration has no '{from}'");
    let scratch = Scratch::new();
    let path = scratch.path().join("fleet.toml");
    std::fs::write(&path, sample.replacen(from, to, 1)).unwrap();
    rehearse(&format!("{line} --output json --config {}", path.display()))
}

#[track_caller]
fn check(ran: Ran, exit: Exit, says: &[&str]) {
    assert_eq!(ran.exit, exit, "{}{}", ran.out, ran.err);
    for words in says {
        assert!(ran.err.contains(words), "'{words}' is not in: {}", ran.err);
    }
    if exit == Exit::Refused {
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(object["outcome"], "refused");
        let changing = |name: &String| !["Describe", "Get", "List"].iter().any(|read| name.starts_with(read));
        let calls: Vec<_> = object["calls"].as_object().unwrap().keys().filter(|name| changing(name)).collect();
        assert!(calls.is_empty(), "a refused run called {calls:?}");
    } else {
        assert_eq!(ran.out, "");
    }
}

#[test]
fn an_invalid_configuration_is_rejected() {
    let to = "--to 1.4.14";
    check(with("[fleet]", "[fleet", to), Exit::BadInput, &["fleet.toml", "line 5"]);
    check(with("size = 3", "sise = 3", to), Exit::BadInput, &["fleet.toml", "unknown field `sise`", "size"]);
    check(with("size = 3", "size = 0", to), Exit::BadInput, &["fleet.toml", "fleet.size", "at least 1"]);
    check(with("size = 3", "size = \"3\"", to), Exit::BadInput, &["fleet.toml", "size = \"3\"", "expected u32"]);
    check(with("\"1.3.8\"", "\"1.3\"", to), Exit::BadInput, &["'1.3' is not a version", "1.4.14"]);
    check(with("ami-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60718", to), Exit::BadInput, &["not an image id", "'ami-'"]);
    check(
        with("\"eu-central-1b\"", "\"eu-central-1a\"", to),
        Exit::BadInput,
        &["fleet.subnets", "one subnet for each zone"],
    );
    check(with("bake = \"5m\"", "bake = \"5\"", to), Exit::BadInput, &["'5' is not a length of time", "'5m'"]);
    check(with("canary = 1 ", "canary = 0 ", to), Exit::BadInput, &["upgrade.canary", "at least 1"]);
    check(with("\"high-availability\"", "\"aws:x\"", to), Exit::BadInput, &["fleet.load_balancer_tag", "reserved"]);
    check(rehearse("--to 1.4.14 --config nowhere.toml"), Exit::BadInput, &["nowhere.toml", "No such file"]);
}

#[test]
fn an_invalid_backup_section_is_rejected() {
    let backup = |lines: &str| with("data_server = \"i-0ccccccccccccccc1\"", lines, "--to 1.4.14");
    let one = &["fleet.toml", "backup: expected one of data_server = \"i-…\" and db_instance = \"NAME\""];
    let both = "data_server = \"i-0ccccccccccccccc1\"\ndb_instance = \"appwrite-db\"";
    check(backup(both), Exit::BadInput, one);
    check(backup(""), Exit::BadInput, one);
    let volume = &["fleet.toml", "data_server = \"vol-1\"", "'vol-1' is not an instance id: expected 'i-'"];
    check(backup("data_server = \"vol-1\""), Exit::BadInput, volume);
    let named = &["fleet.toml", "db_instance = \"7 db\"", "not an RDS instance's identifier", "starting with a letter"];
    check(backup("db_instance = \"7 db\""), Exit::BadInput, named);
    check(
        backup("server = \"db\""),
        Exit::BadInput,
        &["fleet.toml", "server = \"db\"", "expected `data_server` or `db_instance`"],
    );
}

#[test]
fn invalid_rollback_settings_are_rejected() {
    let to = "--to 1.4.14";
    check(
        with("keep_images = 3", "keep_images = 0", to),
        Exit::BadInput,
        &["fleet.toml", "upgrade.keep_images", "1 to 100"],
    );
    let stop = &["fleet.toml", "on_failure = \"stop\"", "expected `rollback` or `freeze`"];
    check(with("on_failure = \"rollback\"", "on_failure = \"stop\"", to), Exit::BadInput, stop);
}

#[test]
fn a_run_that_cannot_succeed_is_refused() {
    let to = |to: &str| rehearse(&format!("--to {to} --output json"));
    check(to("1.3.7"), Exit::Refused, &["to: 1.3.7", "downgrade", "1.3.8"]);
    check(to("3.0.0"), Exit::Refused, &["no path of hops", "3.0.0", "upgrade.hops"]);
    let budget = &["fleet.toml", "database.max_connections", "209", "210", "lower fleet.size"];
    check(with("max_connections = 65536", "max_connections = 209", "--to 1.4.14"), Exit::Refused, budget);
    let targets = &["fleet.toml", "load_balancer.target_quota", "quota"];
    check(with("target_quota = 2500", "target_quota = 12", "--to 1.4.14 --size 7"), Exit::Refused, targets);
    let foreign = "{ key = \"high-availability\", value = \"appwrite\" }]";
    let others = with("{ key = \"service\", value = \"billing\" }]", foreign, "--to 1.4.14");
    check(others, Exit::Refused, &["fleet.load_balancer_tag", "also matches i-", "a load-balancer tag of its own"]);
}

#[test]
fn an_upgrade_to_the_current_version_changes_nothing() {
    let ran = rehearse("--to 1.3.8 --output json");
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.exit, &object["outcome"]), (Exit::Done, &"unchanged".into()));
    assert!(object["calls"].get("PutItem").is_none() && object["calls"].get("RunInstances").is_none());
}
