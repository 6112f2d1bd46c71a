//! Every fault at every call of every workflow.

use crate::command::rehearse;
use fleet::Config;
use fleetwright::Exit;
use fleetwright::rehearse::matrix::{Matrix, Search};
use fleetwright::rehearse::{Goal, RehearsalSpec};
use serde_json::{Value, json};

/// Every fault of a run of the sample fleet, alone, and so many storms.
pub(crate) fn search(goal: Goal, seeds: u64) -> Search {
    let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    // So many that some are always under way.
    config.rehearsal.requests_per_second = 500.0;
    Search::new(&RehearsalSpec { config, goal, faults: Vec::new() }, seeds)
}

/// A sample, since without optimisation a rehearsal takes a quarter of a second; `.ci/run` has all of it.
#[test]
fn no_fault_at_a_call_and_no_storm_breaks_an_invariant() {
    let matrix = search(upgrade(), 30).every(12).run(&mut |_| {}).unwrap();
    assert_no_breach(&matrix);
    assert!(matrix.sites > 150, "{} call sites", matrix.sites);
    assert!(matrix.runs > 100, "{} rehearsals", matrix.runs);
}

#[test]
fn no_fault_at_a_call_of_a_scaling_or_of_taking_an_image_breaks_an_invariant() {
    for (goal, sites) in [(Goal::Scale { to: 5 }, 130), (Goal::Scale { to: 2 }, 75), (Goal::GoldenImage, 90)] {
        let matrix = search(goal, 10).every(9).run(&mut |_| {}).unwrap();
        assert_no_breach(&matrix);
        assert!(matrix.sites > sites, "{} call sites of {goal:?}", matrix.sites);
    }
}

#[track_caller]
fn assert_no_breach(matrix: &Matrix) {
    let breaches: Vec<_> = matrix.violations.iter().map(|breach| format!("{breach:?}")).collect();
    assert!(breaches.is_empty(), "{}\n{} in all", breaches[..breaches.len().min(5)].join("\n"), breaches.len());
}

pub(crate) fn upgrade() -> Goal {
    Goal::Upgrade { to: "1.4.14".parse().unwrap() }
}

#[test]
fn a_fault_that_is_named_strikes_again() {
    let line =
        "--to 1.4.14 --brisk --seed 5 --fault create-the-builder/RunInstances#1/orchestrator-dies-after --output json";
    let ran = rehearse(line);
    assert_eq!(ran.exit, Exit::Frozen);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(object["outcome"], "frozen");
    assert_eq!(
        object["reason"],
        "its execution stopped for good; a start after it is refused: run rehearsal-5 holds fleet appwrite: only one \
         run at a time changes a fleet, and a frozen run holds it until an operator repairs it"
    );
    assert_eq!(rehearse(line).out, ran.out, "byte for byte");
}

#[test]
fn a_fault_that_finds_no_call_is_named() {
    let missed = "create-the-bilder/RunInstances#1/error";
    let ran = rehearse(&format!("--to 1.4.14 --brisk --fault {missed} --fault migrate-fails --output json"));
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&object["outcome"], &object["missed_faults"]), (&json!("rolled-back"), &json!([missed])));
    assert_eq!(ran.exit, Exit::Error, "a rehearsal without its fault proves nothing of it");
    let told = rehearse(&format!("--to 1.4.14 --brisk --fault {missed}"));
    assert!(told.out.contains(&format!("missed      {missed} found no call")), "{}", told.out);
    let met = rehearse("--to 1.4.14 --brisk --fault create-the-builder/RunInstances#1/throttle");
    assert!(met.exit == Exit::Done && !met.out.contains("missed"), "{}", met.out);
}

#[test]
fn what_must_pass_is_held_against_the_same_without_it() {
    let checked = |faults: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --brisk {faults} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        object["invariants"]["checked"].as_array().unwrap().contains(&json!("what-passes-changes-no-outcome"))
    };
    let (passes, does_not) = ("--fault create-the-builder/RunInstances#1/throttle", "--fault migrate-fails");
    assert!(checked(passes));
    assert!(checked(&format!("{does_not} {passes}")));
    assert!(!checked(&format!("{passes} {does_not}")));
}

#[test]
fn of_two_executions_each_dies_for_itself() {
    let two = |fault: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --brisk --fault two-starts --fault {fault} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(object["invariants"]["violated"], json!([]));
        object
    };
    let other_goes_on = two("begin/GetItem#1/orchestrator-dies-after");
    assert_eq!(other_goes_on["outcome"], "upgraded");
    let fleet_stays_locked = two("create-the-builder/RunInstances#1/orchestrator-dies-before");
    assert_eq!(fleet_stays_locked["outcome"], "frozen");
    let over_all_the_same = two("finish/TransactWriteItems#1/orchestrator-dies-after");
    assert_eq!(over_all_the_same["outcome"], "upgraded");
}
