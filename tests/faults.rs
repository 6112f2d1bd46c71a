//! The fault search of every workflow.

use crate::command::rehearse;
use fleet::Config;
use fleetwright::Exit;
use fleetwright::rehearse::fault_search::{FaultSearch, Matrix};
use fleetwright::rehearse::{Goal, RehearsalSpec};
use serde_json::{Value, json};

/// A run of the sample fleet.
pub(crate) fn spec(goal: Goal) -> RehearsalSpec {
    let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    // At this rate some requests are always under way.
    config.rehearsal.requests_per_second = 500.0;
    RehearsalSpec::new(config, goal)
}

/// The test runs a sample, since a rehearsal without optimisation takes a quarter of a second. `.ci/run` runs all of it.
#[test]
fn no_fault_of_an_upgrade_violates_an_invariant() {
    let matrix = FaultSearch::new(&spec(upgrade()), 30).every(12).run(&mut |_| {}).unwrap();
    assert_no_violation(&matrix);
    assert!(matrix.sites > 150, "{} call sites", matrix.sites);
    assert!(matrix.runs > 100, "{} rehearsals", matrix.runs);
}

#[test]
fn no_fault_of_a_scaling_or_golden_image_run_violates_an_invariant() {
    for (goal, sites) in [(Goal::Scale { to: 5 }, 130), (Goal::Scale { to: 2 }, 75), (Goal::GoldenImage, 90)] {
        let matrix = FaultSearch::new(&spec(goal), 10).every(9).run(&mut |_| {}).unwrap();
        assert_no_violation(&matrix);
        assert!(matrix.sites > sites, "{} call sites of {goal:?}", matrix.sites);
    }
}

#[track_caller]
fn assert_no_violation(matrix: &Matrix) {
    let violations: Vec<_> = matrix.violations.iter().map(|violation| format!("{violation:?}")).collect();
    assert!(violations.is_empty(), "{}\n{} in all", violations[..violations.len().min(5)].join("\n"), violations.len());
}

pub(crate) fn upgrade() -> Goal {
    Goal::Upgrade { to: "1.4.14".parse().unwrap() }
}

#[test]
fn a_named_fault_strikes_in_every_rehearsal() {
    let line = "--to 1.4.14 --fast-world --seed 5 --fault create-the-builder/RunInstances#1/orchestrator-dies-after --output json";
    let ran = rehearse(line);
    assert_eq!(ran.exit, Exit::Frozen);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(object["outcome"], "frozen");
    assert_eq!(
        object["reason"],
        "its execution stopped for good; a start after it is refused: run rehearsal-5 holds fleet appwrite: only one \
         run at a time changes a fleet, and a frozen one keeps it until a person has looked"
    );
    assert_eq!(rehearse(line).out, ran.out, "byte for byte");
}

#[test]
fn a_fault_that_no_call_reaches_is_named() {
    let missed = "create-the-bilder/RunInstances#1/error";
    let ran = rehearse(&format!("--to 1.4.14 --fast-world --fault {missed} --fault migrate-fails --output json"));
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&object["outcome"], &object["missed_faults"]), (&json!("rolled-back"), &json!([missed])));
    assert_eq!(ran.exit, Exit::Error, "a rehearsal that the fault missed proves nothing of the fault");
    let told = rehearse(&format!("--to 1.4.14 --brisk --fault {missed}"));
    assert!(told.out.contains(&format!("missed      {missed} found no call")), "{}", told.out);
    let met = rehearse("--to 1.4.14 --fast-world --fault create-the-builder/RunInstances#1/throttle");
    assert!(met.exit == Exit::Done && !met.out.contains("missed"), "{}", met.out);
}

#[test]
fn a_survivable_fault_is_compared_with_the_rehearsal_without_it() {
    let checked = |faults: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --fast-world {faults} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        object["invariants"]["checked"].as_array().unwrap().contains(&json!("survived-fault-changes-no-outcome"))
    };
    let (survivable, fatal) = ("--fault create-the-builder/RunInstances#1/throttle", "--fault migrate-fails");
    assert!(checked(survivable));
    assert!(checked(&format!("{fatal} {survivable}")));
    assert!(!checked(&format!("{survivable} {fatal}")));
}

#[test]
fn the_death_of_one_of_two_executions_leaves_the_other() {
    let two = |fault: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --fast-world --fault two-starts --fault {fault} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(object["invariants"]["violated"], json!([]));
        object
    };
    let other_continues = two("begin/GetItem#1/orchestrator-dies-after");
    assert_eq!(other_continues["outcome"], "upgraded");
    let fleet_stays_locked = two("create-the-builder/RunInstances#1/orchestrator-dies-before");
    assert_eq!(fleet_stays_locked["outcome"], "frozen");
    let ended_before_it_died = two("finish/TransactWriteItems#1/orchestrator-dies-after");
    assert_eq!(ended_before_it_died["outcome"], "upgraded");
}
