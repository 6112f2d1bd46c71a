//! Ties the list of steps, the definitions, their sources and the names of errors together.

use asl::StateMachine;
use fleet::Workflow;
use fleetwright::Definition;
use functions::STEPS;
use serde_json::Value;
use std::collections::BTreeSet;

fn machines() -> [StateMachine; 4] {
    Definition::ALL.map(|definition| {
        StateMachine::parse(definition.text).unwrap_or_else(|invalid| panic!("{}:\n{invalid}", definition.machine))
    })
}

/// Steps that the operator's command or events invoke, not a state machine.
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

/// The sources of the definitions, in the order of [`Definition::ALL`].
const SOURCES: [&str; 4] = [
    include_str!("../workflow/src/upgrade.json"),
    include_str!("../workflow/src/scale-out.json"),
    include_str!("../workflow/src/scale-in.json"),
    include_str!("../workflow/src/golden-image.json"),
];
const RETRIES: &str = include_str!("../workflow/retries.json");

#[test]
fn the_definitions_are_generated_from_their_sources_and_the_table_of_retries() {
    let table: Value = serde_json::from_str(RETRIES).unwrap();
    for (definition, source) in Definition::ALL.into_iter().zip(SOURCES) {
        let stale = format!("{} is stale: run workflow/make-definitions.py", definition.machine);
        let committed: Value = serde_json::from_str(definition.text).unwrap();
        let mut generated: Value = serde_json::from_str(source).unwrap();
        expand_retries(&mut generated, &table);
        assert!(committed == generated, "{stale}");
        assert!(without_retries(definition.text) == without_retries(source), "{stale}");
    }
}

/// Replaces the name of each retry by its rules.
fn expand_retries(value: &mut Value, table: &Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_str() {
                    Some(name) if key == "Retry" => {
                        let rules = table["retries"][name]["rules"].as_array();
                        let rules = rules.unwrap_or_else(|| panic!("no retry is named {name}")).iter();
                        *field = rules.map(|rule| table["rules"][rule.as_str().unwrap()].clone()).collect();
                    }
                    _ => expand_retries(field, table),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| expand_retries(item, table)),
        _ => {}
    }
}

/// The lines of a definition or of its source, without what follows each `"Retry":`.
fn without_retries(text: &str) -> Vec<&str> {
    let mut in_rules = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match (in_rules, line.find("\"Retry\":")) {
            (Some(indent), _) if line.trim_end_matches(',').strip_suffix(']') == Some(&" ".repeat(indent)) => {
                in_rules = None;
            }
            (Some(_), _) => {}
            (None, Some(at)) => {
                lines.push(&line[..at]);
                in_rules = line.ends_with('[').then_some(at);
            }
            (None, None) => lines.push(line),
        }
    }
    lines
}

#[test]
fn every_retry_in_the_table_is_used() {
    let table: Value = serde_json::from_str(RETRIES).unwrap();
    let retries = table["retries"].as_object().unwrap();
    for name in retries.keys() {
        assert!(SOURCES.iter().any(|source| source.contains(&format!("\"Retry\": \"{name}\""))), "{name}");
    }
    let used = retries.values().flat_map(|one| one["rules"].as_array().unwrap());
    let used: BTreeSet<_> = used.filter_map(Value::as_str).collect();
    assert_eq!(used.len(), table["rules"].as_object().unwrap().len(), "{used:?}");
}

#[test]
fn the_definitions_have_five_retry_rules() {
    let mut rules = BTreeSet::new();
    for definition in Definition::ALL {
        collect_retries(&serde_json::from_str(definition.text).unwrap(), &mut rules);
    }
    // Polls; polls while members bake; polls until the last function of a dead execution has timed out; errors of AWS; and
    // errors of AWS in the state that waits for an operator, whose time-out is final.
    assert_eq!(rules.len(), 5, "{rules:#?}");
}

fn collect_retries(value: &Value, rules: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if key == "Retry" {
                    rules.extend(field.as_array().unwrap().iter().map(ToString::to_string));
                }
                collect_retries(field, rules);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_retries(item, rules)),
        _ => {}
    }
}
