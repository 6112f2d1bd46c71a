//! Repairs: an execution dies in any state or freezes its run, and another execution resumes the run.

use crate::fixture::Fixture;
use asl::{Failure, Outcome, Resources, StateMachine, Task};
use fleet::Phase;
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::rehearse::in_virtual_time;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::invariants::SettledAs as Settling;
use std::cell::RefCell;
use tokio::sync::Notify;

const RUN: &str = "run-1";

/// Stops the execution at a state: before its step is invoked or, with `after`, once the step has succeeded.
struct Dies<'a, 'f> {
    functions: &'a Functions<'f>,
    state: &'a str,
    after: bool,
    died: &'a Notify,
}

impl Resources for Dies<'_, '_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        if task.state != self.state {
            return self.functions.call(task);
        }
        Box::pin(async move {
            if self.after {
                self.functions.call(task).await?;
            }
            self.died.notify_one();
            std::future::pending().await
        })
    }
}

/// Fails some states, each once, with an error that is not retried.
struct Fails<'a, 'f> {
    functions: &'a Functions<'f>,
    states: RefCell<Vec<&'a str>>,
}

impl Resources for Fails<'_, '_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        let mut states = self.states.borrow_mut();
        let Some(index) = states.iter().position(|state| *state == task.state) else {
            return self.functions.call(task);
        };
        states.remove(index);
        Box::pin(async { Err(Failure { error: "Failed".to_owned(), cause: "by a test".to_owned() }) })
    }
}

impl Fixture {
    /// Resumes the run in another execution and checks the invariants for its outcome.
    async fn repair(&self, functions: &Functions<'_>, what: &str) -> Settling {
        let finished = self
            .execute(
                "repair-1",
                json!({"fleet": "appwrite", "repair": RUN, "dead": {"execution": RUN, "how": "is dead"}}),
                functions,
            )
            .await;
        let settling = match &finished.outcome {
            Outcome::Succeeded(_) => Settling::Upgraded,
            Outcome::Failed(Failure { error, .. }) if error == "RolledBack" => Settling::RolledBack,
            Outcome::Failed(failure) => panic!("{what}: {failure:?}"),
        };
        assert_eq!(self.violations(RUN, settling).await, [], "{what}");
        assert_eq!(self.simulator.report().requests.failed, 0, "{what}");
        let fleet = self.fleet().await;
        assert_eq!(fleet.lock, None, "{what}");
        let version = if settling == Settling::Upgraded { "1.4.14" } else { "1.3.8" };
        assert_eq!(fleet.version().to_string(), version, "{what}");
        settling
    }
}

fn upgrade() -> Value {
    json!({"fleet": "appwrite", "to": "1.4.14", "approval": true})
}

#[test]
fn a_run_is_resumed_and_ends_wherever_its_execution_died() {
    let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
    let rollback =
        ["Leaving back in", "Leaving healthy", "Staying out", "Delete what the run made", "Finish as rolled back"];
    let not_interrupted = ["Resume", "Begin", "Create members from the kept image", "Freeze", "Freeze during rollback"];
    let (mut rolled_back, mut upgraded) = (0, 0);
    for state in
        machine.tasks().map(|task| task.name).filter(|name| !rollback.contains(name) && !not_interrupted.contains(name))
    {
        for after in [false, true] {
            let what = format!("dead {} '{state}'", if after { "after" } else { "before" });
            let settling = in_virtual_time(async {
                let fixture = Fixture::new().await;
                let functions = fixture.functions(RUN);
                let died = Notify::new();
                let dies = Dies { functions: &functions, state, after, died: &died };
                tokio::select! {
                    finished = fixture.execute(RUN, upgrade(), &dies) => panic!("{what}: {finished:?}"),
                    () = died.notified() => {}
                }
                if (state, after) == ("Finish", true) {
                    return None;
                }
                Some(fixture.repair(&functions, &what).await)
            });
            match settling.unwrap() {
                Some(Settling::RolledBack) => rolled_back += 1,
                Some(_) => upgraded += 1,
                // The run was over before its execution died.
                None => {}
            }
        }
    }
    // The run is committed once the state "Commit" has succeeded.
    assert_eq!((rolled_back, upgraded), (33, 6));
}

#[test]
fn a_resumed_run_rolls_back_before_its_commit_and_finishes_after_its_commit() {
    let cases: [(&[&str], _); 4] = [
        (&["Bake", "Leaving healthy"], Settling::RolledBack),
        (&["Bake", "Delete what the run made"], Settling::RolledBack),
        (&["Delete the leaving members"], Settling::Upgraded),
        (&["Finish"], Settling::Upgraded),
    ];
    for (failing, expected) in cases {
        let settling = in_virtual_time(async {
            let fixture = Fixture::new().await;
            let functions = fixture.functions(RUN);
            let fails = Fails { functions: &functions, states: RefCell::new(failing.to_vec()) };
            let finished = fixture.execute(RUN, upgrade(), &fails).await;
            let Outcome::Failed(failure) = &finished.outcome else { panic!("{failing:?}: {finished:?}") };
            assert_eq!(failure.error, "Frozen", "{failing:?}");
            fixture.repair(&functions, failing[0]).await
        });
        assert_eq!(settling.unwrap(), expected, "{failing:?}");
    }
}

#[test]
fn a_run_without_the_lock_is_not_resumed() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        let functions = fixture.functions(RUN);
        let repair =
            |run: &str| json!({"fleet": "appwrite", "repair": run, "dead": {"execution": run, "how": "is dead"}});
        let refused = fixture.execute("repair-1", repair("run-0"), &functions).await;
        let Outcome::Failed(failure) = &refused.outcome else { panic!("{refused:?}") };
        assert!(failure.error == "Refused" && failure.cause.contains("not in the ledger"), "{failure:?}");

        fixture.execute(RUN, upgrade(), &functions).await;
        let late = fixture.execute("repair-2", repair(RUN), &functions).await;
        assert!(matches!(&late.outcome, Outcome::Failed(failure) if failure.error == "Refused"), "{late:?}");
        assert_eq!(fixture.record(RUN).await.phase, Phase::Ended(fleet::Outcome::Upgraded));
    })
    .unwrap();
}
