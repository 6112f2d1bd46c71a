//! Runs every file in `tests/cases`. A file has a definition, its input, the results of its tasks and the expected outcome.
//!
//! ```json
//! {
//!   "about": "one sentence",
//!   "definition": {…}, "input": …,
//!   "mocks": {"State": {"0": {"Return": …}, "1-2": {"Throw": {"Error": "E", "Cause": "c"}}}},
//!   "seconds": {"State": [10, 0]},
//!   "expected": {"output": …} or {"error": "E", "cause": "c"} or {"invalid": ["$.path: reason"]},
//!   "expected_events": ["1 <- 0 ExecutionStarted", …], "expected_seconds": 12, "expected_transitions": 3
//! }
//! ```
//!
//! `mocks` has the format of the responses in a mock configuration. `seconds` is the duration of each call of a state.
//! The three `expected_…` keys are optional.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asl::mocks::MockedCase;
use asl::{Event, Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

#[test]
fn every_case_has_its_expected_outcome() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let failures: Vec<String> = files.iter().filter_map(|file| check(file).err()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn check(file: &Path) -> Result<(), String> {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let case: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    let known = [
        "about",
        "definition",
        "input",
        "mocks",
        "seconds",
        "expected",
        "expected_events",
        "expected_seconds",
        "expected_transitions",
    ];
    if let Some(key) = case.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{name}: unknown key {key}"));
    }
    let machine = match StateMachine::parse(&case["definition"].to_string()) {
        Ok(machine) => machine,
        Err(invalid) => {
            let defects: Vec<String> = invalid.defects.iter().map(ToString::to_string).collect();
            return compare(&name, "outcome", &case["expected"], &json!({"invalid": defects}));
        }
    };
    let (finished, events) = run_case(&case, &machine);
    let (again, events_again) = run_case(&case, &machine);
    assert_eq!((&finished, &events), (&again, &events_again), "{name}: the same inputs must give the same events");
    let outcome = match finished.outcome {
        Outcome::Succeeded(output) => json!({"output": output}),
        Outcome::Failed(Failure { error, cause }) => json!({"error": error, "cause": cause}),
    };
    compare(&name, "outcome", &case["expected"], &outcome)?;
    assert_eq!(finished.events, events.len() as u64);
    let names: Vec<String> =
        events.iter().map(|event| format!("{} <- {} {}", event.id, event.previous, event.kind.name())).collect();
    let last = events.last().unwrap().at.duration_since(events[0].at).as_secs_f64();
    let seconds = if last.fract() == 0.0 { json!(last as u64) } else { json!(last) };
    let optional = [
        ("expected_events", json!(names)),
        ("expected_seconds", seconds),
        ("expected_transitions", json!(finished.transitions)),
    ];
    for (key, found) in optional {
        if let Some(expected) = case.get(key) {
            compare(&name, key, expected, &found)?;
        }
    }
    Ok(())
}

fn compare(name: &str, what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    // Strings are compared, because the order of keys matters.
    let (expected, found) = (expected.to_string(), found.to_string());
    match expected == found {
        true => Ok(()),
        false => Err(format!("{name}: {what}\n  expected {expected}\n  found    {found}")),
    }
}

fn run_case(case: &Value, machine: &StateMachine) -> (Finished, Vec<Event>) {
    let mocks = case.get("mocks").cloned().unwrap_or_else(|| json!({}));
    let uses: BTreeMap<&String, &String> = mocks.as_object().unwrap().keys().map(|state| (state, state)).collect();
    let config = json!({"StateMachines": {"M": {"TestCases": {"Case": uses}}}, "MockedResponses": mocks});
    let resources = TimedMocks {
        mocks: asl::mocks::parse(&config.to_string()).unwrap().case(None, "Case").unwrap(),
        seconds: RefCell::new(serde_json::from_value(case.get("seconds").cloned().unwrap_or(json!({}))).unwrap()),
    };
    let execution = Execution {
        name: "run".to_owned(),
        id: "arn:aws:states:us-east-1:123456789012:execution:M:run".to_owned(),
        role: "arn:aws:iam::123456789012:role/r".to_owned(),
        state_machine: "M".to_owned(),
        state_machine_id: "arn:aws:states:us-east-1:123456789012:stateMachine:M".to_owned(),
        input: case.get("input").cloned().unwrap_or_else(|| json!({})),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits::default(),
    };
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut events = Vec::new();
    let finished = clock.block_on(asl::run(machine, execution, &resources, &mut |event| events.push(event.clone())));
    (finished, events)
}

/// Mocked results that take a set time.
struct TimedMocks {
    mocks: MockedCase,
    /// The durations of the next calls of each state.
    seconds: RefCell<BTreeMap<String, Vec<u64>>>,
}

impl Resources for TimedMocks {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        let mut seconds = self.seconds.borrow_mut();
        let duration = seconds.get_mut(&task.state).filter(|next| !next.is_empty()).map_or(0, |next| next.remove(0));
        Box::pin(async move {
            if duration > 0 {
                tokio::time::sleep(Duration::from_secs(duration)).await;
            }
            self.mocks.call(task).await
        })
    }
}
