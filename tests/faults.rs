//! Every fault at every call of an upgrade; and the proof that the invariants see what they are for: steps that are
//! broken on purpose, by a hand between the state machine and the functions.

use crate::command::rehearse;
use asl::{Failure, Resources, Task};
use fleet::{Config, RUN_TAG, RunRef, Ticket};
use fleetwright::lambda::Functions;
use fleetwright::rehearse::Plan;
use fleetwright::rehearse::matrix::{Result as Found, Search, Wrap};
use fleetwright::{Exit, rehearse::Ending};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

fn search(seeds: u64) -> Search {
    let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    // So many that some are always under way.
    config.rehearsal.requests_per_second = 500.0;
    Search::new(&Plan { config, to: "1.4.14".parse().unwrap(), faults: Vec::new() }, seeds)
}

/// A sample, since without optimisation a rehearsal takes a quarter of a second; `.ci/run` has all of it.
#[test]
fn no_fault_at_a_call_and_no_storm_breaks_an_invariant() {
    let matrix = search(30).every(12).run(&mut |_| {}).unwrap();
    let breaches: Vec<_> = matrix.violations.iter().map(|breach| format!("{breach:?}")).collect();
    assert!(breaches.is_empty(), "{}\n{} in all", breaches[..breaches.len().min(5)].join("\n"), breaches.len());
    assert!(matrix.sites > 150, "{} call sites", matrix.sites);
    assert!(matrix.runs > 100, "{} rehearsals", matrix.runs);
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
         run at a time changes a fleet, and a frozen one keeps it until a person has looked"
    );
    assert_eq!(rehearse(line).out, ran.out, "byte for byte");
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

/// What the hand does to a task, instead of handing it on.
type Hand = for<'b, 'f> fn(&'b Functions<'f>, Task) -> LocalBoxFuture<'b, Result<Value, Failure>>;

struct Broken<'a> {
    functions: Functions<'a>,
    hand: Hand,
}

impl Resources for Broken<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        (self.hand)(&self.functions, task)
    }
}

/// Rehearses with broken steps; the answer has each broken invariant once.
#[track_caller]
fn break_with(hand: Hand, faults: &[&str]) -> (Ending, BTreeSet<&'static str>) {
    let wrap: Box<Wrap> = Box::new(move |functions| Box::new(Broken { functions, hand }));
    let Found { ending, violations } = search(0).unguarded().one(&*wrap, faults).unwrap();
    (ending, violations.iter().map(|violation| violation.invariant).collect())
}

#[track_caller]
fn assert_caught(hand: Hand, faults: &[&str], invariant: &str) {
    let whole: Hand = |functions, task| functions.call(task);
    let (ending, none) = break_with(whole, faults);
    assert!(none.is_empty(), "{none:?} of a run that is not broken and ends as {ending:?}");
    let (ending, broken) = break_with(hand, faults);
    assert!(broken.contains(invariant), "{invariant} is not among {broken:?} of a run that ended as {ending:?}");
}

fn run_of(task: &Task) -> RunRef {
    Ticket::deserialize(&task.input["Payload"]["run"]).unwrap().run()
}

#[test]
fn a_launch_whose_token_changes_when_it_is_asked_again_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "Create the builder" && task.attempt > 0 {
                let ledger = functions.clients("create-from-snapshot");
                let mut run = ledger.ledger().run(&run_of(&task)).await.unwrap().unwrap();
                for launch in run.record.launches.iter_mut().filter(|launch| launch.launched.is_none()) {
                    launch.round += 1;
                }
                ledger.ledger().write(&mut run).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &["create-the-builder/RunInstances#1/answer-lost"], "nothing-left-over");
}

#[test]
fn a_delete_before_the_drain_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "Bake" && task.attempt == 0 {
                let run = run_of(&task);
                let aws = functions.clients("delete");
                let mut old = aws.instances_of_fleet(&run.fleet).await.unwrap();
                old.retain(|instance| instance.is_alive() && instance.tag(RUN_TAG).is_none());
                aws.terminate(&old.iter().map(|instance| &instance.id).collect::<Vec<_>>()).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &[], "capacity-and-requests");
}

#[test]
fn a_lock_that_is_not_released_is_caught() {
    let hand: Hand = |functions, task| match task.state.as_str() {
        "Finish" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught(hand, &[], "ledger-agrees");
}

#[test]
fn a_lock_that_does_not_hold_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "Begin" {
                tokio::time::sleep(Duration::from_secs(3)).await;
                let aws = functions.clients("begin");
                let name = "appwrite".parse().unwrap();
                let mut fleet = aws.ledger().fleet(&name).await.unwrap().unwrap();
                fleet.record.lock = None;
                aws.ledger().write(&mut fleet).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &["two-starts"], "one-run-at-a-time");
}

#[test]
fn taking_the_old_out_before_the_new_are_healthy_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "The rest in" {
                let run = run_of(&task);
                let aws = functions.clients("retag");
                let config = aws.ledger().run(&run).await.unwrap().unwrap().record.config;
                let mut old = aws.instances_of_fleet(&run.fleet).await.unwrap();
                old.retain(|instance| instance.is_alive() && instance.tag(RUN_TAG).is_none());
                let old: Vec<_> = old.iter().map(|instance| &instance.id).collect();
                aws.deregister(&config.load_balancer.target_group, &old).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &[], "capacity-and-requests");
}

#[test]
fn a_rollback_that_deletes_nothing_is_caught() {
    let hand: Hand = |functions, task| match task.state.as_str() {
        "Delete what the run made" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught(hand, &["image-fails"], "nothing-left-over");
}

#[test]
fn touching_what_belongs_to_others_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "Delete the old members" {
                let aws = functions.clients("delete");
                let others = aws.instances_tagged(&[("service", "billing")]).await.unwrap();
                aws.terminate(&[&others[0].id]).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &[], "nothing-foreign-touched");
}

#[test]
fn deleting_the_golden_image_is_caught() {
    let hand: Hand = |functions, task| {
        Box::pin(async move {
            if task.state == "Delete what the run made" && task.attempt == 0 {
                let aws = functions.clients("delete");
                let golden = aws.ledger().run(&run_of(&task)).await.unwrap().unwrap().record.golden;
                aws.delete_image(&golden.unwrap().image).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(hand, &["image-fails"], "golden-image-exists");
}
