//! What ties the list of steps, the definitions and the names of errors together.

use asl::StateMachine;
use fleet::Workflow;
use fleetwright::Definition;
use functions::STEPS;
use std::collections::BTreeSet;

fn machines() -> [StateMachine; 4] {
    Definition::ALL.map(|definition| {
        StateMachine::parse(definition.text).unwrap_or_else(|invalid| panic!("{}:\n{invalid}", definition.machine))
    })
}

/// What the operator's command and events call by themselves.
const CALLED_ELSEWHERE: [&str; 3] = ["observe", "quiet-hour", "sync-tags"];

#[test]
fn every_task_calls_a_step_and_every_step_is_called() {
    let machines = machines();
    let called: BTreeSet<_> = machines
        .iter()
        .flat_map(StateMachine::tasks)
        .map(|task| {
            let parameters = task.parameters.unwrap_or_else(|| panic!("{} has no parameters", task.name));
            let function = parameters["FunctionName"].as_str().unwrap_or_default();
            function.strip_prefix("fleetwright-").unwrap_or_else(|| panic!("{} calls '{function}'", task.name))
        })
        .collect();
    let steps = STEPS.iter().map(|step| step.name).filter(|name| !CALLED_ELSEWHERE.contains(name));
    assert_eq!(called, steps.collect());
}

#[test]
fn each_workflow_names_the_state_machine_that_executes_it() {
    let workflows = [
        Workflow::Upgrade,
        Workflow::Revert,
        Workflow::Restore,
        Workflow::ScaleOut,
        Workflow::ScaleIn,
        Workflow::GoldenImage,
    ];
    for workflow in workflows {
        assert_eq!(Definition::of(workflow).machine, workflow.machine().name());
    }
    for (definition, machine) in Definition::ALL.iter().zip(machines()) {
        let resume = machine.tasks().find(|task| task.name == "Resume").unwrap();
        assert_eq!(resume.parameters.unwrap()["Payload"]["machine"], definition.machine);
    }
}

#[test]
fn every_task_passes_the_run_and_the_state_to_its_step() {
    for task in machines().iter().flat_map(StateMachine::tasks) {
        let payload = &task.parameters.unwrap()["Payload"];
        assert!(payload["run.$"].is_string(), "{} passes no run", task.name);
        assert_eq!(payload["state.$"], "$$.State", "{} passes no state", task.name);
    }
}

#[test]
fn the_definitions_are_read_with_a_handful_of_retry_rules() {
    let mut rules = BTreeSet::new();
    for definition in Definition::ALL {
        collect_retries(&serde_json::from_str(definition.text).unwrap(), &mut rules);
    }
    // Asking again while a step is not done, the same at a steady pace while members bake, and when another execution's
    // last function must be over; AWS stumbling, and AWS stumbling where a person's silence is no stumble.
    assert_eq!(rules.len(), 5, "{rules:#?}");
}

fn collect_retries(value: &serde_json::Value, rules: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, field) in fields {
                if key == "Retry" {
                    rules.extend(field.as_array().unwrap().iter().map(ToString::to_string));
                }
                collect_retries(field, rules);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_retries(item, rules)),
        _ => {}
    }
}
