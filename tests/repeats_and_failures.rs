//! Every step can be invoked twice, and every state can fail once. Interceptors between the state machine and the
//! functions do both, for each state of an upgrade.

use asl::{Failure, Resources, StateMachine, Task};
use fleet::{AnyTag, Config, RUN_TAG};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::rehearse::{Ending, FaultSpec, Goal, Interceptor, RehearsalSpec, Rehearsed, WorldKind, rehearse};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use std::cell::Cell;

fn spec(faults: &[WorldKind]) -> RehearsalSpec {
    let config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
    let faults = faults.iter().cloned().map(FaultSpec::World).collect();
    RehearsalSpec::new(config, Goal::Upgrade { to: "1.5.11".parse().unwrap() }).with_faults(faults)
}

#[track_caller]
fn check(rehearsed: &Rehearsed, ending: Ending, what: &str) {
    assert_eq!(rehearsed.outcome, ending, "{what}: {:?}", rehearsed.reason);
    assert!(rehearsed.invariants.violated.is_empty(), "{what}: {:?}", rehearsed.invariants.violated);
    assert_eq!(rehearsed.requests.failed, 0, "{what}");
    assert!(rehearsed.capacity.lowest >= rehearsed.capacity.floor, "{what}: {:?}", rehearsed.capacity);
}

/// Invokes every function twice and returns the second answer.
struct InvokesTwice<'a>(Functions<'a>);

impl Resources for InvokesTwice<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let _ = self.0.call(task.clone()).await;
            self.0.call(task).await
        })
    }
}

#[test]
fn every_step_can_be_invoked_twice() {
    let twice = |faults: &[WorldKind]| {
        let interceptor = Interceptor::new(|functions| Box::new(InvokesTwice(functions)));
        rehearse(&spec(faults).with_interceptor(interceptor), &mut |_| {}).unwrap()
    };
    let upgraded = twice(&[]);
    check(&upgraded, Ending::Upgraded, "an upgrade");
    assert_eq!(upgraded.calls["CreateImage"], 1);
    let faults =
        [WorldKind::MigrateFails, WorldKind::UnhealthyTarget, WorldKind::ImageFails, WorldKind::NoCapacity(None)];
    for fault in faults {
        check(&twice(std::slice::from_ref(&fault)), Ending::RolledBack, &format!("{fault:?}"));
    }
}

/// Fails one state once, with an error that is not retried: before its effect or, with `after`, after it.
fn fails_once(state: &str, after: bool) -> Interceptor {
    let state = state.to_owned();
    Interceptor::new(move |functions| {
        Box::new(FailsOnce { functions, state: state.clone(), after, done: Cell::new(false) })
    })
}

struct FailsOnce<'a> {
    functions: Functions<'a>,
    state: String,
    after: bool,
    done: Cell<bool>,
}

impl Resources for FailsOnce<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        if task.state != self.state || self.done.get() {
            return self.functions.call(task);
        }
        Box::pin(async move {
            if self.after {
                // The effect is complete only when the step no longer answers `NotYet`.
                let answer = self.functions.call(task).await;
                if answer.as_ref().is_err_and(|failure| failure.error == "NotYet") {
                    return answer;
                }
            }
            self.done.set(true);
            Err(Failure { error: "Failed".to_owned(), cause: "by a test".to_owned() })
        })
    }
}

#[test]
fn a_failed_rollback_keeps_the_leaving_members_in_service_and_the_fleet_locked() {
    for state in
        ["Leaving back in", "Leaving healthy", "Staying out", "Delete what the run made", "Finish as rolled back"]
    {
        let spec = spec(&[WorldKind::UnhealthyTarget]).with_interceptor(fails_once(state, false));
        let rehearsed = rehearse(&spec, &mut |_| {}).unwrap();
        check(&rehearsed, Ending::Frozen, state);
        assert_eq!(rehearsed.steps.last().unwrap().name, "Freeze during rollback");
        assert_eq!(rehearsed.steps.last().unwrap().error, None, "{state}");
        let leaving = rehearsed.members.iter().filter(|member| member.version.as_deref() == Some("1.3.8"));
        assert_eq!(leaving.filter(|member| member.in_service).count(), 3, "{state}");
    }
}

#[test]
fn another_fleet_with_a_run_of_the_same_name_is_not_touched() {
    let mut spec = spec(&[WorldKind::UnhealthyTarget]);
    spec.config.rehearsal.others = vec![AnyTag { key: RUN_TAG.to_owned(), value: "rehearsal-1".to_owned() }];
    check(&rehearse(&spec, &mut |_| {}).unwrap(), Ending::RolledBack, "a run of the same name");
}

#[test]
fn a_failed_state_rolls_the_run_back_before_the_commit_and_freezes_it_after_the_commit() {
    let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
    let not_on_the_forward_path = [
        "Create members from the kept image",
        "Leaving back in",
        "Leaving healthy",
        "Staying out",
        "Delete what the run made",
        "Finish as rolled back",
        "Freeze",
        "Freeze during rollback",
        "Resume",
    ];
    let states = machine.tasks().map(|task| task.name).filter(|name| !not_on_the_forward_path.contains(name));
    for state in states {
        for after in [false, true] {
            let mut spec = spec(&[]).with_interceptor(fails_once(state, after));
            spec.config.upgrade.approval = true;
            let rehearsed = rehearse(&spec, &mut |_| {}).unwrap();
            let what = format!("{state} failed {} its effect", if after { "after" } else { "before" });
            match (state, after) {
                // Either nothing has begun, or the run keeps the lock and nothing undoes it. Both must show as refused.
                ("Begin", _) => assert_eq!(rehearsed.outcome, Ending::Refused, "{what}"),
                // A superfluous image does not fail the run.
                ("Delete outdated images", _) => check(&rehearsed, Ending::Upgraded, &what),
                ("Delete the leaving members" | "Finish", _) | ("Commit", true) => {
                    assert_eq!(rehearsed.outcome, Ending::Frozen, "{what}");
                    assert_eq!(rehearsed.requests.failed, 0, "{what}");
                }
                _ => check(&rehearsed, Ending::RolledBack, &what),
            }
        }
    }
}
