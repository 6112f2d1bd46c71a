//! How an operator controls a run: an abort rolls it back in any state before its commit, a plan lets it start only on
//! the planned fleet, and a window delays it.

use crate::fixture::Fixture;
use asl::{Failure, Resources, StateMachine, Task};
use fleet::{Abort, Config, FleetRecord, Observed, Order, RunRef, Ticket, admit, hop_path};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::permissions::OPERATOR;
use fleetwright::rehearse::{Ending, Goal, Interceptor, RehearsalSpec, in_virtual_time, rehearse, sdk_config, world};
use functions::{Aws, Step, StepError};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{Caller, Simulator};
use std::cell::Cell;

fn config() -> Config {
    Config::from_toml(include_str!("../samplconfig.toml")).unwrap()
}

/// Aborts the run when a state first invokes its step, and then lets the step answer.
struct AbortsAt<'a> {
    functions: Functions<'a>,
    state: String,
    done: Cell<bool>,
}

impl AbortsAt<'_> {
    async fn abort(&self, run: &RunRef) {
        let aws = self.functions.clients(OPERATOR);
        let mut run = aws.ledger().run(run).await.unwrap().unwrap();
        run.record.abort = Some(Abort { by: "a test".to_owned(), at: aws.now() });
        aws.ledger().write(&mut run).await.unwrap();
    }
}

impl Resources for AbortsAt<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            if task.state == self.state && !self.done.replace(true) {
                self.abort(&Ticket::deserialize(&task.input["Payload"]["run"]).unwrap().run()).await;
            }
            self.functions.call(task).await
        })
    }
}

#[test]
fn an_aborted_run_rolls_back_in_every_state_before_its_commit() {
    let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
    let not_on_the_forward_path = [
        "Begin",
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
    let mut rolled_back = 0;
    for state in machine.tasks().map(|task| task.name).filter(|name| !not_on_the_forward_path.contains(name)) {
        let mut config = config();
        config.upgrade.approval = true;
        let name = state.to_owned();
        let interceptor = Interceptor::new(move |functions| {
            Box::new(AbortsAt { functions, state: name.clone(), done: Cell::new(false) })
        });
        let goal = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
        let spec = RehearsalSpec::new(config, goal).with_interceptor(interceptor);
        let rehearsed = rehearse(&spec, &mut |_| {}).unwrap();
        let reason = rehearsed.reason.as_deref().unwrap_or_default();
        if ["Delete the leaving members", "Delete outdated images", "Finish"].contains(&state) {
            assert_eq!(rehearsed.outcome, Ending::Upgraded, "{state}: {reason}");
        } else {
            assert_eq!(rehearsed.outcome, Ending::RolledBack, "{state}: {reason}");
            assert!(reason.contains("aborted by a test"), "{state}: {reason}");
            rolled_back += 1;
        }
        assert!(rehearsed.invariants.violated.is_empty(), "{state}: {:?}", rehearsed.invariants.violated);
        assert_eq!(rehearsed.requests.failed, 0, "{state}");
    }
    assert_eq!(rolled_back, 17);
}

#[test]
fn a_run_begins_only_on_the_planned_fleet() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new());
        let caller = Caller { run: "run-1".to_owned(), function: "begin".to_owned() };
        let aws = Aws::new(&sdk_config(&simulator, &config, caller), "fleetwright");
        assert!(aws.ledger().create_fleet(&FleetRecord::new(config.clone())).await.unwrap());
        let before = aws.ledger().fleet(&config.fleet.name).await.unwrap().unwrap();
        let record = &before.record;

        let answer = Step::named("observe").unwrap().invoke(&aws, json!({"fleet": "appwrite"})).await.unwrap();
        let observed: Observed = serde_json::from_value(answer).unwrap();
        let to = "1.4.14".parse().unwrap();
        let order = Order::Upgrade(hop_path(record.version(), to, &config.upgrade.hops).unwrap());
        let planned = admit(record, &observed, &order).unwrap().fingerprint;

        let mut smaller = observed.clone();
        smaller.tagged.pop();
        let other = admit(record, &smaller, &order).unwrap().fingerprint;
        let error = begin(&aws, other.as_str()).await.unwrap_err();
        assert_eq!(error.name(), "Refused");
        assert!(error.to_string().contains("has changed since the plan was made"), "{error}");
        let after = aws.ledger().fleet(&config.fleet.name).await.unwrap().unwrap();
        assert_eq!(after, before, "a refusal changes nothing");

        let begun = begin(&aws, planned.as_str()).await.unwrap();
        assert_eq!(begun["work"], "upgrade");
    })
    .unwrap();
}

async fn begin(aws: &Aws, plan: &str) -> Result<Value, StepError> {
    let state = json!({"Name": "Begin", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0});
    let request = json!({"fleet": "appwrite", "to": "1.4.14", "plan": plan});
    let input = json!({"run": "run-1", "request": request, "state": state});
    Step::named("begin").unwrap().invoke(aws, input).await
}

#[test]
fn a_start_outside_its_windows_waits_for_the_next_one_without_the_lock() {
    in_virtual_time(async {
        // Rehearsals begin on a Sunday at 03:00 UTC.
        let saturday = |config: &mut Config| {
            let window = json!([{"days": ["sat"], "from": "02:00", "to": "06:00", "time_zone": "UTC"}]);
            config.upgrade.windows = serde_json::from_value(window).unwrap();
        };
        let fixture = Fixture::with(saturday, Vec::new()).await;
        let input = json!({"fleet": "appwrite", "to": "1.4.14", "takes_seconds": 1800});
        let refused = fixture.run("run-1", input.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("upgrade.windows: no window is open"), "{refused}");
        let mut patient = input;
        patient["waits"] = true.into();
        let waits = fixture.run("run-2", patient);
        let meanwhile = async {
            tokio::time::sleep(std::time::Duration::from_secs(24 * 3600)).await;
            fixture.fleet().await.lock
        };
        let (ended, lock) = futures_util::future::join(waits, meanwhile).await;
        assert_eq!((ended.as_str(), lock), ("succeeded", None));
        let started = fixture.record("run-2").await.started.to_string();
        assert!(started.starts_with("2026-01-10T02:00:0"), "{started}");
    })
    .unwrap();
}
