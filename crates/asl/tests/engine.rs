//! Tests that a file in `tests/cases` cannot express: observers, resources and limits.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use asl::{Event, EventKind, Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine, Task, history};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// Performs tasks with a function.
struct TaskFn<F>(F);

impl<F: Fn(Task) -> LocalBoxFuture<'static, Result<Value, Failure>>> Resources for TaskFn<F> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        (self.0)(task)
    }
}

fn execution(input: Value) -> Execution {
    Execution {
        name: "run".to_owned(),
        id: "arn:aws:states:us-east-1:123456789012:execution:M:run".to_owned(),
        role: "arn:aws:iam::123456789012:role/r".to_owned(),
        state_machine: "M".to_owned(),
        state_machine_id: "arn:aws:states:us-east-1:123456789012:stateMachine:M".to_owned(),
        input,
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits::default(),
    }
}

fn run(definition: &Value, execution: Execution, resources: &dyn Resources) -> (Finished, Vec<Event>) {
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut events = Vec::new();
    let finished = clock.block_on(asl::run(&machine, execution, resources, &mut |event| events.push(event.clone())));
    (finished, events)
}

fn echo() -> impl Resources {
    TaskFn(|task: Task| -> LocalBoxFuture<'static, _> { Box::pin(async move { Ok(task.input) }) })
}

fn task_machine(fields: Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": INVOKE, "End": true});
    state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"StartAt": "S", "States": {"S": state}})
}

fn seconds(events: &[Event]) -> f64 {
    events.last().unwrap().at.duration_since(events[0].at).as_secs_f64()
}

#[test]
fn a_task_times_out_after_its_last_heartbeat() {
    let resources = TaskFn(|task: Task| -> LocalBoxFuture<'static, _> {
        Box::pin(async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(8)).await;
                task.heartbeat.beat();
            }
            tokio::time::sleep(Duration::from_secs(100)).await;
            Ok(json!(null))
        })
    });
    let (finished, events) = run(&task_machine(json!({"HeartbeatSeconds": 10})), execution(json!({})), &resources);
    assert_eq!(finished.outcome, Outcome::Failed(Failure { error: "States.Timeout".to_owned(), cause: String::new() }));
    assert_eq!(seconds(&events), 50.0);
}

#[test]
fn a_task_gets_its_attempt_its_token_and_its_iteration() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let resources = {
        let seen = Rc::clone(&seen);
        TaskFn(move |task: Task| -> LocalBoxFuture<'static, _> {
            assert_eq!(task.token.as_deref(), task.input["token"].as_str());
            seen.borrow_mut().push((task.state, task.iteration, task.attempt, task.token.unwrap()));
            let result = match task.attempt {
                0 => Err(Failure { error: "E".to_owned(), cause: String::new() }),
                _ => Ok(json!(1)),
            };
            Box::pin(async move { result })
        })
    };
    let mut inner = task_machine(json!({
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"token.$": "$$.Task.Token"},
        "Credentials": {"RoleArn.$": "$"},
        "Retry": [{"ErrorEquals": ["E"]}],
    }));
    inner["StartAt"] = json!("S");
    let definition = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": true}}});
    let (finished, events) = run(&definition, execution(json!(["a", "b"])), &resources);
    assert_eq!(finished.outcome, Outcome::Succeeded(json!([1, 1])));
    let seen = seen.take();
    let calls: Vec<_> =
        seen.iter().map(|(state, iteration, attempt, _)| (state.as_str(), *iteration, *attempt)).collect();
    assert_eq!(calls, [("S", Some(0), 0), ("S", Some(1), 0), ("S", Some(0), 1), ("S", Some(1), 1)]);
    let mut tokens: Vec<_> = seen.iter().map(|(.., token)| token).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4, "each attempt has its own token");
    let scheduled: Vec<_> = events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::TaskScheduled { attempt, .. } => Some((event.iteration, attempt)),
            _ => None,
        })
        .collect();
    assert_eq!(scheduled, [(Some(0), 0), (Some(1), 0), (Some(0), 1), (Some(1), 1)]);
    let first = events.iter().find(|event| event.kind.name() == "TaskScheduled").unwrap();
    let credentials = &history::event(first)["taskScheduledEventDetails"]["taskCredentials"];
    assert_eq!(credentials, &json!({"roleArn": "a"}));
}

#[test]
fn a_call_is_dropped_when_its_result_is_no_longer_needed() {
    struct DropCounter(Rc<Cell<u32>>);
    impl Drop for DropCounter {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = Rc::new(Cell::new(0));
    let resources = {
        let dropped = Rc::clone(&dropped);
        TaskFn(move |task: Task| -> LocalBoxFuture<'static, _> {
            let guard = DropCounter(Rc::clone(&dropped));
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(if task.state == "Quick" { 1 } else { 1000 })).await;
                drop(guard);
                Err(Failure { error: task.state, cause: String::new() })
            })
        })
    };
    let branch =
        |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": INVOKE, "End": true}}});
    let definition = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [branch("Slow"), branch("Quick")], "Catch": [{"ErrorEquals": ["Quick"], "Next": "W"}], "End": true},
        "W": {"Type": "Wait", "Seconds": 5, "End": true},
    }});
    let (finished, events) = run(&definition, execution(json!({})), &resources);
    assert_eq!(finished.outcome, Outcome::Succeeded(json!({"Error": "Quick", "Cause": ""})));
    assert_eq!((seconds(&events), dropped.get()), (6.0, 2));
}

#[test]
fn an_execution_has_its_own_limits() {
    let definition =
        json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": true}}});
    let limited = |history_events, payload_bytes| {
        let limits = Limits { history_events, payload_bytes };
        run(&definition, Execution { limits, ..execution(json!({"a": 1})) }, &echo()).0
    };
    assert_eq!(limited(6, 7).outcome, Outcome::Succeeded(json!({"a": 1})));
    let stopped = limited(5, 7);
    assert_eq!(stopped.events, 5);
    assert_eq!(
        stopped.outcome,
        Outcome::Failed(Failure {
            error: "States.Runtime".to_owned(),
            cause: "The execution reached the maximum number of history events (5).".to_owned()
        })
    );
    let definition = task_machine(json!({}));
    let limits = Limits { payload_bytes: 6, ..Limits::default() };
    let (finished, _) = run(&definition, Execution { limits, ..execution(json!({"a": 1})) }, &echo());
    assert!(matches!(finished.outcome, Outcome::Failed(failure) if failure.error == "States.DataLimitExceeded"));
}

#[test]
fn the_output_of_a_catch_has_the_payload_limit() {
    let definition = json!({"StartAt": "S", "States": {
        "S": {"Type": "Task", "Resource": INVOKE, "End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "P"}]},
        "P": {"Type": "Pass", "Next": "S"},
    }});
    let limits = Limits { payload_bytes: 100, ..Limits::default() };
    let failing = TaskFn(|_: Task| -> LocalBoxFuture<'static, _> {
        Box::pin(async { Err(Failure { error: "E".to_owned(), cause: "because ".repeat(20) }) })
    });
    let (finished, _) = run(&definition, Execution { limits, ..execution(json!({"t": "text"})) }, &failing);
    assert!(matches!(finished.outcome, Outcome::Failed(failure) if failure.error == "States.DataLimitExceeded"));
    assert_eq!(finished.transitions, 1);
}

#[test]
fn the_executions_id_seeds_random_values() {
    let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": true, "Parameters": {
        "id.$": "States.UUID()", "number.$": "States.MathRandom(0, 1000000)"}}}});
    let output =
        |id: &str| run(&definition, Execution { id: id.to_owned(), ..execution(json!({})) }, &echo()).0.outcome;
    assert_eq!(output("one"), output("one"));
    assert_ne!(output("one"), output("two"));
}

#[test]
fn jitter_shortens_delays_and_is_reproducible() {
    let failing = TaskFn(|_: Task| -> LocalBoxFuture<'static, _> {
        Box::pin(async { Err(Failure { error: "E".to_owned(), cause: String::new() }) })
    });
    let total_delay = |jitter| {
        let retry = json!([{"ErrorEquals": ["E"], "IntervalSeconds": 100, "MaxAttempts": 3, "JitterStrategy": jitter}]);
        seconds(&run(&task_machine(json!({"Retry": retry})), execution(json!({})), &failing).1)
    };
    assert_eq!(total_delay("NONE"), 700.0);
    assert!(total_delay("FULL") < 700.0);
    assert_eq!(total_delay("FULL"), total_delay("FULL"));
}

#[test]
fn the_outputs_of_ten_thousand_items_keep_their_order() {
    let items: Vec<Value> = (0..10_000).map(Value::from).collect();
    let definition = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
        "StartAt": "S", "States": {"S": {"Type": "Task", "Resource": INVOKE, "End": true}}}}}});
    let delayed = TaskFn(|task: Task| -> LocalBoxFuture<'static, _> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(task.input.as_u64().unwrap() * 7919 % 1000)).await;
            Ok(task.input)
        })
    });
    let limits = Limits { history_events: 1_000_000, ..Limits::default() };
    let (finished, _) = run(&definition, Execution { limits, ..execution(json!(items)) }, &delayed);
    assert_eq!(finished.outcome, Outcome::Succeeded(json!(items)));
    assert_eq!(finished.transitions, 10_001);
}

#[test]
fn tasks_in_branches_and_item_processors_are_listed() {
    let leaf = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": INVOKE, "Parameters": {"p": name}, "End": true}}});
    let map = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "Iterator": leaf("InMap"), "End": true}}});
    let mut definition = leaf("Outer");
    definition["Comment"] = json!("why");
    definition["States"]["Outer"] = json!({"Type": "Task", "Resource": "arn:aws:lambda:r:a:function:f", "Next": "P"});
    definition["States"]["P"] = json!({"Type": "Parallel", "Branches": [map, leaf("InBranch")], "End": true});
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    assert_eq!(machine.comment(), Some("why"));
    let tasks: Vec<_> = machine.tasks().map(|task| (task.name, task.resource, task.parameters)).collect();
    assert_eq!(
        tasks,
        [
            ("Outer", "arn:aws:lambda:r:a:function:f", None),
            ("InMap", INVOKE, Some(&json!({"p": "InMap"}))),
            ("InBranch", INVOKE, Some(&json!({"p": "InBranch"}))),
        ]
    );
}

#[test]
fn events_are_exported_in_the_services_format() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 9, "Assign": {"v": [1]}, "Next": "B"},
        "B": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "C"},
        "C": {"Type": "Map", "ItemProcessor": {"StartAt": "D", "States": {"D": {"Type": "Fail", "Error": "E"}}}, "End": true},
    }});
    let (_, events) = run(&definition, execution(json!([1])), &echo());
    let exported = history::export(&events);
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history.json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(exported, expected, "\n{exported:#}");
}

#[test]
fn an_empty_assign_adds_nothing_to_the_exit_event() {
    for (assign, expected) in [(json!({}), None), (json!({"v": 1}), Some(json!({"v": 1})))] {
        let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Pass", "Assign": assign, "End": true}}});
        let (_, events) = run(&definition, execution(json!({})), &echo());
        let assigned = events.iter().find_map(|event| match &event.kind {
            EventKind::StateExited { assigned, .. } => Some(assigned.as_deref().cloned()),
            _ => None,
        });
        assert_eq!(assigned, Some(expected));
    }
}
