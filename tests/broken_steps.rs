//! Proves that the invariants detect what they are for. An interceptor between the state machine and the functions
//! breaks steps on purpose.

use crate::faults::{spec, upgrade};
use asl::{Failure, Resources, Task};
use fleet::{RUN_TAG, RunRef, Ticket};
use fleetwright::lambda::Functions;
use fleetwright::rehearse::fault_search::{FaultSearch, TrialResult};
use fleetwright::rehearse::{Ending, Goal, Interceptor};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// What an interceptor does with a task instead of forwarding it.
type Intercept = for<'b, 'f> fn(&'b Functions<'f>, Task) -> LocalBoxFuture<'b, Result<Value, Failure>>;

struct Broken<'a> {
    functions: Functions<'a>,
    intercept: Intercept,
}

impl Resources for Broken<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        (self.intercept)(&self.functions, task)
    }
}

/// Rehearses with an interceptor. Returns the ending and each violated invariant once.
#[track_caller]
fn break_with(goal: Goal, intercept: Intercept, faults: &[&str]) -> (Ending, BTreeSet<&'static str>) {
    let interceptor = Interceptor::new(move |functions| Box::new(Broken { functions, intercept }));
    let search = FaultSearch::new(&spec(goal).with_interceptor(interceptor), 0).allowing_all_calls();
    let TrialResult { ending, violations } = search.one(faults).unwrap();
    (ending, violations.iter().map(|violation| violation.invariant).collect())
}

#[track_caller]
fn assert_caught(intercept: Intercept, faults: &[&str], invariant: &str) {
    assert_caught_in(upgrade(), intercept, faults, invariant);
}

#[track_caller]
fn assert_caught_in(goal: Goal, intercept: Intercept, faults: &[&str], invariant: &str) {
    let forward: Intercept = |functions, task| functions.call(task);
    let (ending, violated) = break_with(goal, forward, faults);
    assert!(violated.is_empty(), "{violated:?} in a run without broken steps that ended as {ending:?}");
    let (ending, violated) = break_with(goal, intercept, faults);
    assert!(violated.contains(invariant), "{invariant} is not among {violated:?} in a run that ended as {ending:?}");
}

fn run_of(task: &Task) -> RunRef {
    Ticket::deserialize(&task.input["Payload"]["run"]).unwrap().run()
}

#[test]
fn a_launch_whose_client_token_changes_on_a_retry_is_caught() {
    let intercept: Intercept = |functions, task| {
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
    assert_caught(intercept, &["create-the-builder/RunInstances#1/answer-lost"], "nothing-left-over");
}

#[test]
fn a_delete_before_the_drain_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Bake" && task.attempt == 0 {
                let run = run_of(&task);
                let aws = functions.clients("delete");
                let mut leaving = aws.instances_of_fleet(&run.fleet).await.unwrap();
                leaving.retain(|instance| instance.tag(RUN_TAG).is_none());
                aws.terminate(&leaving.iter().map(|instance| &instance.id).collect::<Vec<_>>()).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(intercept, &[], "capacity-and-requests");
}

#[test]
fn a_lock_that_is_not_released_is_caught() {
    let intercept: Intercept = |functions, task| match task.state.as_str() {
        "Finish" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught(intercept, &[], "ledger-agrees");
}

#[test]
fn a_lock_that_admits_a_second_run_is_caught() {
    let intercept: Intercept = |functions, task| {
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
    assert_caught(intercept, &["two-starts"], "one-run-at-a-time");
}

#[test]
fn deregistering_leaving_members_before_staying_members_are_healthy_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Rest in" {
                let run = run_of(&task);
                let aws = functions.clients("retag");
                let config = aws.ledger().run(&run).await.unwrap().unwrap().record.config;
                let mut leaving = aws.instances_of_fleet(&run.fleet).await.unwrap();
                leaving.retain(|instance| instance.tag(RUN_TAG).is_none());
                let leaving: Vec<_> = leaving.iter().map(|instance| &instance.id).collect();
                aws.deregister(&config.load_balancer.target_group, &leaving).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(intercept, &[], "capacity-and-requests");
}

#[test]
fn a_rollback_that_deletes_nothing_is_caught() {
    let intercept: Intercept = |functions, task| match task.state.as_str() {
        "Delete what the run made" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught(intercept, &["image-fails"], "nothing-left-over");
}

#[test]
fn terminating_an_instance_of_others_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Delete the leaving members" {
                let aws = functions.clients("delete");
                let others = aws.instances_tagged(&[("service", "billing")]).await.unwrap();
                aws.terminate(&[&others[0].id]).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(intercept, &[], "nothing-foreign-touched");
}

#[test]
fn deleting_the_golden_image_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Delete what the run made" && task.attempt == 0 {
                let aws = functions.clients("delete");
                let golden = aws.ledger().run(&run_of(&task)).await.unwrap().unwrap().record.golden;
                aws.delete_image(&golden.unwrap().image).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught(intercept, &["image-fails"], "golden-image-exists");
}

#[test]
fn a_scale_out_that_keeps_abandoned_members_is_caught() {
    let intercept: Intercept = |functions, task| match task.state.as_str() {
        "Delete the abandoned members" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught_in(Goal::Scale { to: 5 }, intercept, &["impaired/1"], "nothing-left-over");
}

#[test]
fn a_scale_in_that_deregisters_all_members_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Commit" && task.attempt == 0 {
                let run = run_of(&task);
                let aws = functions.clients("retag");
                let config = aws.ledger().run(&run).await.unwrap().unwrap().record.config;
                let members = aws.instances_of_fleet(&run.fleet).await.unwrap();
                let members: Vec<_> = members.iter().map(|instance| &instance.id).collect();
                aws.deregister(&config.load_balancer.target_group, &members).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught_in(Goal::Scale { to: 2 }, intercept, &[], "capacity-and-requests");
}

#[test]
fn a_source_member_that_does_not_return_to_service_is_caught() {
    let intercept: Intercept = |functions, task| match task.state.as_str() {
        "Start the member" | "Member in" | "Member healthy" => Box::pin(async { Ok(json!({"Payload": {}})) }),
        _ => functions.call(task),
    };
    assert_caught_in(Goal::GoldenImage, intercept, &[], "members-are-as-they-were");
}

#[test]
fn stopping_a_member_that_still_takes_traffic_is_caught() {
    let intercept: Intercept = |functions, task| {
        Box::pin(async move {
            if task.state == "Member out" && task.attempt == 0 {
                let aws = functions.clients("image-member");
                let run = aws.ledger().run(&run_of(&task)).await.unwrap().unwrap().record;
                aws.stop(&run.source.unwrap().id).await.unwrap();
            }
            functions.call(task).await
        })
    };
    assert_caught_in(Goal::GoldenImage, intercept, &[], "capacity-and-requests");
}
