//! What every step must bear: being invoked twice, and failing once. Both over the whole workflow, by a hand between
//! the state machine and the functions.

use asl::{Failure, Resources, StateMachine, Task};
use fleet::{AnyTag, Config, RUN_TAG};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::rehearse::{Ending, FaultSpec, Goal, Intercept, RehearsalSpec, Rehearsed, WorldKind, rehearse};
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

/// Invokes every function twice, and takes the second answer.
struct Twice<'a>(Functions<'a>);

impl Resources for Twice<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let _ = self.0.call(task.clone()).await;
            self.0.call(task).await
        })
    }
}

#[test]
fn every_step_bears_being_invoked_twice() {
    let twice = |faults: &[WorldKind]| {
        let intercept = Intercept::new(|functions| Box::new(Twice(functions)));
        rehearse(&spec(faults).with_intercept(intercept), &mut |_| {}).unwrap()
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

/// Fails one state for good, once, before or after its effect.
fn fails_once(state: &str, after: bool) -> Intercept {
    let state = state.to_owned();
    Intercept::new(move |functions| {
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
                // Still waiting is not yet the effect.
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
fn a_rollback_that_fails_leaves_the_old_members_in_service_and_the_fleet_locked() {
    for state in
        ["Leaving back in", "Leaving healthy", "Staying out", "Delete what the run made", "Finish as rolled back"]
    {
        let spec = spec(&[WorldKind::UnhealthyTarget]).with_intercept(fails_once(state, false));
        let rehearsed = rehearse(&spec, &mut |_| {}).unwrap();
        check(&rehearsed, Ending::Frozen, state);
        assert_eq!(rehearsed.steps.last().unwrap().name, "Freeze during rollback");
        assert_eq!(rehearsed.steps.last().unwrap().error, None, "{state}");
        let old = rehearsed.members.iter().filter(|member| member.version.as_deref() == Some("1.3.8"));
        assert_eq!(old.filter(|member| member.in_service).count(), 3, "{state}");
    }
}

#[test]
fn another_fleet_with_a_run_of_the_same_name_is_left_alone() {
    let mut spec = spec(&[WorldKind::UnhealthyTarget]);
    spec.config.rehearsal.others = vec![AnyTag { key: RUN_TAG.to_owned(), value: "rehearsal-1".to_owned() }];
    check(&rehearse(&spec, &mut |_| {}).unwrap(), Ending::RolledBack, "a run of the same name");
}

#[test]
fn any_state_that_fails_leaves_the_fleet_as_it_was_or_frozen_once_it_is_committed() {
    let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
    let elsewhere = [
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
    let states = machine.tasks().map(|task| task.name).filter(|name| !elsewhere.contains(name));
    for state in states {
        for after in [false, true] {
            let mut spec = spec(&[]).with_intercept(fails_once(state, after));
            spec.config.upgrade.approval = true;
            let rehearsed = rehearse(&spec, &mut |_| {}).unwrap();
            let what = format!("{state} failed {} its effect", if after { "after" } else { "before" });
            match (state, after) {
                // Nothing is begun, or the fleet stays locked by a run that nobody undoes: both must be seen.
                ("Begin", _) => assert_eq!(rehearsed.outcome, Ending::Refused, "{what}"),
                // An image too many is nothing to fail for.
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
