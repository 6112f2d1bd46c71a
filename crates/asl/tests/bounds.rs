//! No definition and no input can use unlimited memory or stack. Without the limits that these tests check, each test used
//! gigabytes of memory or overflowed its thread's stack.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use asl::{Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

/// Answers every task with null.
struct NullTasks;

impl Resources for NullTasks {
    fn call<'a>(&'a self, _: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(std::future::ready(Ok(Value::Null)))
    }
}

fn run(definition: &Value, input: Value) -> Finished {
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    let execution = Execution {
        name: "run".to_owned(),
        id: "arn:aws:states:us-east-1:123456789012:execution:M:run".to_owned(),
        role: "arn:aws:iam::123456789012:role/r".to_owned(),
        state_machine: "M".to_owned(),
        state_machine_id: "arn:aws:states:us-east-1:123456789012:stateMachine:M".to_owned(),
        input,
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits::default(),
    };
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    clock.block_on(asl::run(&machine, execution, &NullTasks, &mut |_| {}))
}

/// A state machine with one state.
fn single(state: Value) -> Value {
    let mut state = state;
    state["End"] = true.into();
    json!({"StartAt": "S", "States": {"S": state}})
}

fn is_too_large(finished: &Finished) -> bool {
    matches!(&finished.outcome, Outcome::Failed(failure) if failure.error == "States.DataLimitExceeded")
}

#[test]
fn several_deep_scans_in_a_path_do_not_multiply_values() {
    let deep = (0..50).fold(json!(1), |inner, _| json!({"a": inner}));
    for field in ["InputPath", "OutputPath"] {
        assert!(
            is_too_large(&run(&single(json!({"Type": "Pass", field: "$..a..a..a..a..a"})), deep.clone())),
            "{field}"
        );
    }
    for expression in ["$..a..a..a..a..a", "States.ArrayLength($..a..a..a..a..a)"] {
        assert!(is_too_large(&run(&single(json!({"Type": "Pass", "Parameters": {"v.$": expression}})), deep.clone())));
    }
    let few = run(&single(json!({"Type": "Pass", "Parameters": {"v.$": "States.ArrayLength($..a..a)"}})), deep);
    assert_eq!(few.outcome, Outcome::Succeeded(json!({"v": 49 * 50 / 2})));
}

#[test]
fn nested_function_calls_do_not_multiply_values() {
    let nested = (0..9).fold("$".to_owned(), |inner, _| format!("States.Array({})", vec![inner; 4].join(", ")));
    let definition = single(json!({"Type": "Pass", "Parameters": {"v.$": format!("States.ArrayLength({nested})")}}));
    assert!(is_too_large(&run(&definition, json!("x".repeat(100_000)))));
}

#[test]
fn a_filled_template_has_the_payload_limit() {
    let fields: Map<String, Value> = (0..5000).map(|field| (format!("{field}.$"), json!("$"))).collect();
    let input = json!(vec![0; 60_000]);
    for state in [json!({"Type": "Pass"}), json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"})] {
        let mut state = state;
        state["Parameters"] = Value::Object(fields.clone());
        assert!(is_too_large(&run(&single(state), input.clone())));
    }
}

#[test]
fn a_value_that_a_loop_wraps_becomes_too_deep() {
    let definition = json!({"StartAt": "Wrap", "States": {
        "Wrap": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "Again"},
        "Again": {"Type": "Choice", "Choices": [{"Variable": "$.b", "IsPresent": true, "Next": "Done"}], "Default": "Wrap"},
        "Done": {"Type": "Succeed"},
    }});
    assert!(is_too_large(&run(&definition, json!({}))));
}

#[test]
fn each_batch_is_made_when_its_iteration_starts() {
    let fail = json!({"StartAt": "P", "States": {"P": {"Type": "Fail", "Error": "E"}}});
    for (batcher, items) in
        [(json!({"MaxItemsPerBatch": 2}), 20_000), (json!({"MaxInputBytesPerBatch": 200_000}), 1000)]
    {
        let map = json!({"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": fail, "ItemBatcher": batcher,
            "ItemSelector": {"all.$": "$"}});
        let failed = Failure { error: "E".to_owned(), cause: String::new() };
        assert_eq!(run(&single(map), json!(vec![0; items])).outcome, Outcome::Failed(failed));
    }
}

#[test]
fn all_variables_together_have_a_limit() {
    let assigning = |variables: usize| {
        let state = |index: usize| json!({"Type": "Pass", "Assign": {format!("v{index}.$"): "$"}, "Next": format!("S{}", index + 1)});
        let mut states: Map<String, Value> = (0..variables).map(|index| (format!("S{index}"), state(index))).collect();
        states.insert(format!("S{variables}"), json!({"Type": "Succeed"}));
        json!({"StartAt": "S0", "States": states})
    };
    // Forty variables of 256 KiB, with their quotes, are just below the limit of 10 MiB.
    let large = json!("x".repeat(262_000));
    assert_eq!(run(&assigning(40), large.clone()).outcome, Outcome::Succeeded(large.clone()));
    assert!(is_too_large(&run(&assigning(41), large)));
}

#[test]
fn the_variables_of_an_ended_branch_do_not_count() {
    let processor = json!({"StartAt": "P", "States": {"P":
        {"Type": "Pass", "Assign": {"large.$": "$.large"}, "OutputPath": "$.none", "End": true}}});
    let map = json!({"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"large.$": "$.large", "none": 0}, "MaxConcurrency": 1,
        "ItemProcessor": processor});
    let finished = run(&single(map), json!({"items": vec![0; 45], "large": "x".repeat(250_000)}));
    assert_eq!(finished.outcome, Outcome::Succeeded(json!(vec![0; 45])));
}
