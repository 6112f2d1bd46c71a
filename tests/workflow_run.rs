//! `workflow run` executes any definition. Mocks answer its tasks.

use crate::command::run;
use crate::emulators::Scratch;
use fleetwright::Exit;
use serde_json::{Value, json};

const RETRIES: &str = r#"{
    "StartAt": "Rest",
    "States": {
        "Rest": {"Type": "Wait", "Seconds": 86400, "Next": "Ask"},
        "Ask": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload", "End": true,
            "Parameters": {"FunctionName": "ask", "Payload.$": "$"},
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600, "MaxAttempts": 2}]
        }
    }
}"#;

const MOCKS: &str = r#"{
    "StateMachines": {"workflow": {"TestCases": {"patient": {"Ask": "BusyTwice"}, "hopeless": {"Ask": "Busy"}}}},
    "MockedResponses": {
        "BusyTwice": {"0-1": {"Throw": {"Error": "Busy", "Cause": "later"}}, "2": {"Return": {"Payload": {"is": 42}}}},
        "Busy": {"0-2": {"Throw": {"Error": "Busy", "Cause": "later"}}}
    }
}"#;

/// Runs a definition with the input `{}`. If `case` names a test case, the mocks above answer.
#[track_caller]
fn check(definition: &str, case: Option<&str>, exit: Exit, printed: &Value) {
    let scratch = Scratch::new();
    let write = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let mut line = format!("workflow run {}", write("workflow.json", definition));
    line += &format!(" --input {}", write("input.json", "{}"));
    if let Some(case) = case {
        line += &format!(" --mocks {} --case {case}", write("mocks.json", MOCKS));
    }
    let ran = run(&line);
    let object: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| json!(ran.err.replace(&line, "")));
    assert_eq!((ran.exit, &object), (exit, printed));
}

#[test]
fn a_day_of_waiting_takes_no_time_and_retries_are_counted() {
    check(RETRIES, Some("patient"), Exit::Done, &json!({"status": "SUCCEEDED", "output": {"is": 42}}));
}

#[test]
fn a_failed_execution_prints_its_error_and_cause() {
    let failed = json!({"status": "FAILED", "error": "Busy", "cause": "later"});
    check(RETRIES, Some("hopeless"), Exit::Error, &failed);
}

#[test]
fn a_task_without_a_mock_fails_the_execution_and_names_the_missing_options() {
    let cause = "state 'Ask' calls arn:aws:states:::lambda:invoke: pass its answer with --mocks FILE --case NAME";
    let failed = json!({"status": "FAILED", "error": "States.Runtime", "cause": cause});
    check(RETRIES, None, Exit::Error, &failed);
}

#[test]
fn an_invalid_definition_is_not_run_and_every_error_has_its_path() {
    let definition = r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "Next": "B"}, "C": {"Type": "Pas"}}}"#;
    let scratch = Scratch::new();
    let path = scratch.path().join("workflow.json");
    std::fs::write(&path, definition).unwrap();
    let ran = run(&format!("workflow run {}", path.display()));
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.exit, &object["status"]), (Exit::BadInput, &json!("INVALID")));
    let paths: Vec<_> =
        object["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    for place in ["$.States.A", "$.States.A.Next", "$.States.C.Type"] {
        assert!(paths.contains(&place), "{place} is not in {object:#}");
    }
}

#[test]
fn the_history_has_the_event_format_of_step_functions() {
    let scratch = Scratch::new();
    let definition = scratch.path().join("workflow.json");
    std::fs::write(&definition, r#"{"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": 1, "End": true}}}"#)
        .unwrap();
    let history = scratch.path().join("history.json");
    let ran = run(&format!("workflow run {} --history {}", definition.display(), history.display()));
    assert_eq!(ran.exit, Exit::Done);
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&history).unwrap()).unwrap();
    let types: Vec<_> = written["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]);
    assert_eq!(written["events"][2]["stateExitedEventDetails"]["output"], "1");

    let unwritable = run(&format!("workflow run {} --history /nowhere/history.json", definition.display()));
    assert_eq!(unwritable.exit, Exit::Error);
    assert!(unwritable.err.contains("error: /nowhere/history.json: No such file"), "{}", unwritable.err);
}

#[test]
fn a_fail_state_without_error_and_cause_prints_null_for_both() {
    let empty = r#"{"StartAt": "S", "States": {"S": {"Type": "Fail"}}}"#;
    check(empty, None, Exit::Error, &json!({"status": "FAILED", "error": null, "cause": null}));
}
