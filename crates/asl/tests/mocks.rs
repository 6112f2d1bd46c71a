//! Mock configuration files of Step Functions Local.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use asl::mocks::{self, MockedCase};
use asl::{Execution, Failure, Limits, Outcome, StateMachine};
use serde_json::{Value, json};

fn file() -> Value {
    json!({
        "StateMachines": {
            "Orders": {"TestCases": {"Works": {"Charge": "Flaky"}, "Shared": {"Charge": "Flaky"}}},
            "Returns": {"TestCases": {"Shared": {}}},
        },
        "MockedResponses": {
            "Flaky": {
                "0": {"Throw": {"Error": "Busy", "Cause": "try again"}},
                "1-2": {"Throw": {"Error": "Down"}},
                "3": {"Return": {"charged": true}},
            },
        },
    })
}

fn error(file: &Value) -> String {
    mocks::parse(&file.to_string()).unwrap_err().to_string()
}

fn outcome(case: &MockedCase, max_attempts: u32) -> Outcome {
    let definition = json!({"StartAt": "Charge", "States": {"Charge": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": max_attempts}],
        "Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "No"}, {"ErrorEquals": ["States.ALL"], "Next": "No"}],
    }, "No": {"Type": "Pass", "End": true}}});
    let execution = Execution {
        name: "run".to_owned(),
        id: "id".to_owned(),
        role: "role".to_owned(),
        state_machine: "Orders".to_owned(),
        state_machine_id: "Orders".to_owned(),
        input: json!({}),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits::default(),
    };
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    clock.block_on(asl::run(&machine, execution, case, &mut |_| {})).outcome
}

#[test]
fn each_call_gets_its_own_result() {
    let config = mocks::parse(&file().to_string()).unwrap();
    let works = || config.case(Some("Orders"), "Works").unwrap();
    assert_eq!(works().states().collect::<Vec<_>>(), ["Charge"]);
    assert_eq!(outcome(&works(), 3), Outcome::Succeeded(json!({"charged": true})));
    assert_eq!(outcome(&works(), 0), Outcome::Succeeded(json!({"Error": "Busy", "Cause": "try again"})));
    assert_eq!(outcome(&works(), 2), Outcome::Succeeded(json!({"Error": "Down", "Cause": ""})));
}

#[test]
fn a_call_without_a_result_ends_the_execution_whatever_it_catches() {
    let mut file = file();
    file["MockedResponses"]["Flaky"].as_object_mut().unwrap().remove("3");
    let case = mocks::parse(&file.to_string()).unwrap().case(None, "Works").unwrap();
    let fatal = |cause: &str| Outcome::Failed(Failure { error: "States.Runtime".to_owned(), cause: cause.to_owned() });
    assert_eq!(outcome(&case, 9), fatal("The test case 'Works' has no response for call 3 of the state 'Charge'"));
    let case = mocks::parse(&file.to_string()).unwrap().case(Some("Returns"), "Shared").unwrap();
    assert_eq!(outcome(&case, 9), fatal("The test case 'Shared' does not mock the state 'Charge'"));
}

#[test]
fn a_unique_case_is_found_by_its_name_alone() {
    let config = mocks::parse(&file().to_string()).unwrap();
    assert!(config.case(None, "Works").is_ok());
    assert!(config.case(Some("Returns"), "Shared").is_ok());
    let error = |machine, case| config.case(machine, case).unwrap_err().to_string();
    assert_eq!(
        error(None, "Shared"),
        "$.StateMachines: more than one state machine has a test case 'Shared': Orders, Returns"
    );
    assert_eq!(error(None, "Nope"), "$.StateMachines: no state machine has a test case 'Nope'");
    assert_eq!(
        error(Some("Returns"), "Works"),
        "$.StateMachines: the state machine 'Returns' has no test case 'Works'"
    );
}

#[test]
fn files_of_another_format_are_rejected() {
    let edited = |pointer: &str, value: Value| {
        let mut file = file();
        *file.pointer_mut(pointer).unwrap() = value;
        error(&file)
    };
    assert!(mocks::parse("{").unwrap_err().to_string().starts_with("$: not JSON: "));
    assert_eq!(error(&json!({})), "$: expected a field 'StateMachines'");
    assert_eq!(error(&json!({"Mocks": {}})), "$.Mocks: unknown field: expected MockedResponses, StateMachines");
    assert_eq!(edited("/StateMachines/Orders", json!([])), "$.StateMachines.Orders: expected an object");
    assert_eq!(
        edited("/StateMachines/Orders/TestCases/Works/Charge", json!("Nope")),
        "$.StateMachines.Orders.TestCases.Works.Charge: there is no mocked response 'Nope'"
    );
    let flaky = |value| edited("/MockedResponses/Flaky", value);
    assert_eq!(flaky(json!({})), "$.MockedResponses.Flaky: expected at least one result");
    assert_eq!(
        flaky(json!({"first": {"Return": 1}})),
        "$.MockedResponses.Flaky.first: expected a number such as '0' or a range such as '1-2'"
    );
    assert_eq!(
        flaky(json!({"2-1": {"Return": 1}})),
        "$.MockedResponses.Flaky['2-1']: expected a number such as '0' or a range such as '1-2'"
    );
    assert_eq!(
        flaky(json!({"0-3": {"Return": 1}, "2": {"Return": 1}})),
        "$.MockedResponses.Flaky['2']: another entry has a result for the same call"
    );
    assert_eq!(
        flaky(json!({"0": {"Return": 1, "Throw": {"Error": "E"}}})),
        "$.MockedResponses.Flaky['0']: expected one of 'Return' and 'Throw'"
    );
    assert_eq!(
        flaky(json!({"0": {"Throw": {"Cause": "c"}}})),
        "$.MockedResponses.Flaky['0'].Throw: expected a field 'Error'"
    );
    assert_eq!(
        flaky(json!({"0": {"Throw": {"Error": "E", "Why": 1}}})),
        "$.MockedResponses.Flaky['0'].Throw.Why: unknown field: expected Cause, Error"
    );
}
