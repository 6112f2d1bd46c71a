//! The fault search: every fault at every call site of every workflow.

use crate::command::rehearse;
use fleet::Config;
use fleetwright::Exit;
use fleetwright::rehearse::fault_search::{FaultSearch, Matrix};
use fleetwright::rehearse::{Goal, RehearsalSpec};
use serde_json::{Value, json};

/// A run of the sample fleet.
pub(crate) fn spec(goal: Goal) -> RehearsalSpec {
    let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    // At this rate some requests are always in flight.
    config.rehearsal.requests_per_second = 500.0;
    RehearsalSpec::new(config, goal)
}

/// Samples every twelfth fault, because a rehearsal takes 250 ms without optimisation. `.ci/run` searches all faults.
#[test]
fn no_fault_in_an_upgrade_violates_an_invariant() {
    let matrix = FaultSearch::new(&spec(upgrade()), 30).every(12).run(&mut |_| {}).unwrap();
    assert_no_violation(&matrix);
    assert!(matrix.sites > 150, "{} call sites", matrix.sites);
    assert!(matrix.runs > 100, "{} rehearsals", matrix.runs);
}

#[test]
fn no_fault_in_a_scaling_or_golden_image_run_violates_an_invariant() {
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
fn a_named_fault_is_reproduced_byte_for_byte() {
    let line = "--to 1.4.14 --fast-world --seed 5 --fault create-the-builder/RunInstances#1/orchestrator-dies-after --output json";
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
fn a_fault_without_a_matching_call_is_reported() {
    let missed = "create-the-bilder/RunInstances#1/error";
    let ran = rehearse(&format!("--to 1.4.14 --fast-world --fault {missed} --fault migrate-fails --output json"));
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&object["outcome"], &object["missed_faults"]), (&json!("rolled-back"), &json!([missed])));
    assert_eq!(ran.exit, Exit::Error, "a rehearsal in which the fault does not occur proves nothing about it");
    let text = rehearse(&format!("--to 1.4.14 --fast-world --fault {missed}"));
    assert!(text.out.contains(&format!("missed      {missed} found no call")), "{}", text.out);
    let matched = rehearse("--to 1.4.14 --fast-world --fault create-the-builder/RunInstances#1/throttle");
    assert!(matched.exit == Exit::Done && !matched.out.contains("missed"), "{}", matched.out);
}

#[test]
fn a_harmless_last_fault_is_compared_with_a_rehearsal_without_it() {
    let checked = |faults: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --fast-world {faults} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        object["invariants"]["checked"].as_array().unwrap().contains(&json!("survived-fault-changes-no-outcome"))
    };
    let (harmless, harmful) = ("--fault create-the-builder/RunInstances#1/throttle", "--fault migrate-fails");
    assert!(checked(harmless));
    assert!(checked(&format!("{harmful} {harmless}")));
    assert!(!checked(&format!("{harmless} {harmful}")));
}

#[test]
fn a_fault_kills_only_its_own_execution() {
    let with_two_starts = |fault: &str| {
        let ran = rehearse(&format!("--to 1.4.14 --brisk --fault two-starts --fault {fault} --output json"));
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(object["invariants"]["violated"], json!([]));
        object
    };
    let other_continues = with_two_starts("begin/GetItem#1/orchestrator-dies-after");
    assert_eq!(other_continues["outcome"], "upgraded");
    let fleet_stays_locked = with_two_starts("create-the-builder/RunInstances#1/orchestrator-dies-before");
    assert_eq!(fleet_stays_locked["outcome"], "frozen");
    let run_already_over = with_two_starts("finish/TransactWriteItems#1/orchestrator-dies-after");
    assert_eq!(run_already_over["outcome"], "upgraded");
}
