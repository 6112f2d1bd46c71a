//! Properties that hold for any input: inverse functions are inverse, and no valid definition panics when it runs.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use asl::{Event, Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine, Task, history};
use futures_util::future::LocalBoxFuture;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const EVENTS_MAX: u64 = 400;
const SECONDS_MAX: u64 = 5;

/// The result and the duration of a task depend on its input and its attempt only.
struct VaryingTasks;

impl Resources for VaryingTasks {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        let seed = task.input.to_string().len() as u64 + u64::from(task.attempt);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(seed % SECONDS_MAX)).await;
            match seed % 3 {
                0 => Err(Failure { error: "E".to_owned(), cause: "c".to_owned() }),
                _ => Ok(task.input),
            }
        })
    }
}

fn run(machine: &StateMachine, input: Value) -> (Finished, Vec<Event>) {
    let execution = Execution {
        name: "run".to_owned(),
        id: "arn:aws:states:us-east-1:123456789012:execution:M:run".to_owned(),
        role: "arn:aws:iam::123456789012:role/r".to_owned(),
        state_machine: "M".to_owned(),
        state_machine_id: "arn:aws:states:us-east-1:123456789012:stateMachine:M".to_owned(),
        input,
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits { history_events: EVENTS_MAX, ..Limits::default() },
    };
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut events = Vec::new();
    let finished = clock.block_on(asl::run(machine, execution, &VaryingTasks, &mut |event| events.push(event.clone())));
    (finished, events)
}

/// The value of an expression in a Pass state.
fn evaluate(expression: &str, input: Value) -> Result<Value, Failure> {
    let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Pass", "Parameters": {"v.$": expression}, "OutputPath": "$.v", "End": true}}});
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    match run(&machine, input).0.outcome {
        Outcome::Succeeded(output) => Ok(output),
        Outcome::Failed(failure) => Err(failure),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9..1.0e9).prop_map(|number: f64| json!(number)),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("2016-03-14T01:59:00Z")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Mostly valid paths, into the values of [`any_json`].
fn any_path() -> impl Strategy<Value = String> {
    let root =
        prop_oneof![6 => Just("$"), 1 => Just("$$"), 1 => Just("$$.Map.Item"), 1 => Just("$v"), 1 => Just("$$.State")];
    let step = prop_oneof![
        6 => "\\.[a-c]",
        2 => "\\[-?[0-9]{1,2}\\]",
        1 => Just("['a']".to_owned()),
        1 => Just("[*]".to_owned()),
        1 => Just(".*".to_owned()),
        1 => Just("..a".to_owned()),
        1 => "\\[-?[0-3]?:-?[0-3]?\\]",
        1 => Just("[?(@.a > 1)]".to_owned()),
        1 => Just("[?@.b]".to_owned()),
        1 => "[\\[\\].a'?@()*:,$\\\\]{1,4}",
    ];
    (root, prop::collection::vec(step, 0..4)).prop_map(|(root, steps)| format!("{root}{}", steps.concat()))
}

fn any_call() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![any_path(), "-?[0-9]{1,12}(\\.[0-9])?", "'[a-z{},\\\\']{0,6}'", Just("null".to_owned())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let function = prop::sample::select(vec![
            "Array",
            "ArrayContains",
            "ArrayGetItem",
            "ArrayLength",
            "ArrayPartition",
            "ArrayRange",
            "ArrayUnique",
            "Base64Decode",
            "Base64Encode",
            "Format",
            "Hash",
            "JsonMerge",
            "JsonToString",
            "MathAdd",
            "MathRandom",
            "StringSplit",
            "StringToJson",
            "UUID",
        ]);
        (function, prop::collection::vec(inner, 0..4))
            .prop_map(|(name, arguments)| format!("States.{name}({})", arguments.join(", ")))
    })
}

/// A field with a value that can be valid for it.
fn any_field() -> impl Strategy<Value = (String, Value)> {
    let path = || prop_oneof![any_path().prop_map(Value::from), Just(Value::Null)];
    let template = || {
        prop_oneof![any_path(), any_call()].prop_map(|expression| json!({"a.$": expression, "b": [1, {"c.$": "$"}]}))
    };
    let seconds = || prop_oneof![0..9_u64, Just(99_999_999)].prop_map(Value::from);
    let named = |name: &'static str, value: BoxedStrategy<Value>| value.prop_map(move |value| (name.to_owned(), value));
    prop_oneof![
        named("InputPath", path().boxed()),
        named("OutputPath", path().boxed()),
        named("ResultPath", path().boxed()),
        named("Parameters", template().boxed()),
        named("ResultSelector", template().boxed()),
        named("ItemSelector", template().boxed()),
        named("Result", any_json().boxed()),
        named("Assign", any_path().prop_map(|path| json!({"v.$": path})).boxed()),
        named("ItemsPath", any_path().prop_map(Value::from).boxed()),
        named("MaxConcurrency", seconds().boxed()),
        named("MaxConcurrencyPath", any_path().prop_map(Value::from).boxed()),
        named("ToleratedFailureCount", seconds().boxed()),
        named("ToleratedFailurePercentagePath", any_path().prop_map(Value::from).boxed()),
        named("ItemBatcher", (1..4_u64).prop_map(|max| json!({"MaxItemsPerBatch": max})).boxed()),
        named("TimeoutSeconds", (1..SECONDS_MAX).prop_map(Value::from).boxed()),
        named("TimeoutSecondsPath", any_path().prop_map(Value::from).boxed()),
        named("HeartbeatSecondsPath", any_path().prop_map(Value::from).boxed()),
        named("Seconds", seconds().boxed()),
        named("SecondsPath", any_path().prop_map(Value::from).boxed()),
        named("TimestampPath", any_path().prop_map(Value::from).boxed()),
        named("ErrorPath", prop_oneof![any_path(), any_call()].prop_map(Value::from).boxed()),
        named("Cause", Just(json!("c")).boxed()),
        named(
            "Retry",
            (0..3_u64, 0..4_u64)
                .prop_map(|(seconds, attempts)| json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": seconds, "MaxAttempts": attempts}]))
                .boxed()
        ),
        named("Catch", Just(json!([{"ErrorEquals": ["States.ALL"], "Next": "0"}])).boxed()),
        named("Choices", any_rule().prop_map(|rule| json!([rule])).boxed()),
    ]
}

fn any_rule() -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec![
        json!({"IsPresent": true}),
        json!({"IsNull": false}),
        json!({"IsTimestamp": true}),
        json!({"NumericLessThan": 5}),
        json!({"NumericEqualsPath": "$.a"}),
        json!({"StringMatches": "*a*"}),
        json!({"StringGreaterThanPath": "$.b"}),
        json!({"TimestampEquals": "2016-03-14T01:59:00Z"}),
        json!({"TimestampLessThanPath": "$.c"}),
        json!({"BooleanEquals": true}),
    ]);
    (any_path(), operator, any::<bool>()).prop_map(|(path, operator, negated)| {
        let mut test = operator;
        test["Variable"] = path.into();
        let mut rule = if negated { json!({"Not": test}) } else { test };
        rule["Next"] = json!("0");
        rule
    })
}

/// A machine of states in sequence. State names begin with `prefix`. Transitions backwards go to the first state.
fn any_machine(depth: u32, prefix: &'static str) -> BoxedStrategy<Value> {
    let types = vec!["Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait"];
    let state = (prop::sample::select(types), prop::collection::vec(any_field(), 0..4));
    let inner = match depth {
        0 => Just(json!({"StartAt": "leaf", "States": {"leaf": {"Type": "Pass", "End": true}}})).boxed(),
        _ => any_machine(depth - 1, if depth == 1 { "innermost" } else { "inner" }),
    };
    (prop::collection::vec(state, 1..4), inner)
        .prop_map(move |(states, inner)| {
            let name = |index: usize| format!("{prefix}{index}");
            let last = states.len() - 1;
            let mut inner = Some(inner);
            let mut named = Map::new();
            for (index, (state_type, fields)) in states.into_iter().enumerate() {
                let mut state = Map::from_iter([("Type".to_owned(), json!(state_type))]);
                let fields = fields.into_iter().filter(|(field, _)| is_field_of(state_type, field));
                state.extend(fields.map(|(field, value)| (field, retarget(value, &name(0)))));
                match state_type {
                    "Map" | "Parallel" => match (inner.take(), state_type) {
                        (Some(inner), "Map") => drop(state.insert("ItemProcessor".to_owned(), inner)),
                        (Some(inner), _) => drop(state.insert("Branches".to_owned(), json!([inner]))),
                        // State names are unique, so only one state can contain the inner machine.
                        (None, _) => state = Map::from_iter([("Type".to_owned(), json!("Pass"))]),
                    },
                    "Choice" => {
                        state.insert("Default".to_owned(), name((index + 1).min(last)).into());
                        state
                            .entry("Choices")
                            .or_insert_with(|| json!([{"Variable": "$.a", "IsPresent": true, "Next": name(0)}]));
                    }
                    "Wait"
                        if !["Seconds", "SecondsPath", "TimestampPath"].iter().any(|key| state.contains_key(*key)) =>
                    {
                        state.insert("Seconds".to_owned(), json!(1));
                    }
                    _ => {}
                }
                if !matches!(state_type, "Choice" | "Fail" | "Succeed") {
                    match index == last {
                        true => state.insert("End".to_owned(), true.into()),
                        false => state.insert("Next".to_owned(), name(index + 1).into()),
                    };
                }
                named.insert(name(index), Value::Object(state));
            }
            json!({"StartAt": name(0), "States": named})
        })
        .boxed()
}

fn is_field_of(state_type: &str, field: &str) -> bool {
    match field {
        "InputPath" | "OutputPath" => state_type != "Fail",
        "ResultPath" => matches!(state_type, "Map" | "Parallel" | "Pass" | "Task"),
        "Parameters" => matches!(state_type, "Parallel" | "Pass" | "Task"),
        "ResultSelector" | "Retry" | "Catch" => matches!(state_type, "Map" | "Parallel" | "Task"),
        "ItemSelector" | "ItemsPath" | "ItemBatcher" | "MaxConcurrency" | "MaxConcurrencyPath" => state_type == "Map",
        "ToleratedFailureCount" | "ToleratedFailurePercentagePath" => state_type == "Map",
        "Result" => state_type == "Pass",
        "Assign" => !matches!(state_type, "Fail" | "Succeed"),
        "TimeoutSeconds" | "TimeoutSecondsPath" | "HeartbeatSecondsPath" => state_type == "Task",
        "Seconds" | "SecondsPath" | "TimestampPath" => state_type == "Wait",
        "ErrorPath" | "Cause" => state_type == "Fail",
        "Choices" => state_type == "Choice",
        _ => false,
    }
}

/// Redirects the transitions to state `0` to the named state.
fn retarget(value: Value, first: &str) -> Value {
    let text = value.to_string().replace(r#""Next":"0""#, &format!(r#""Next":"{first}""#));
    serde_json::from_str(&text).unwrap()
}

/// Adds a `Resource` to each Task state.
fn with_resources(definition: Value) -> String {
    definition.to_string().replace(r#""Type":"Task""#, r#""Type":"Task","Resource":"arn:aws:states:::lambda:invoke""#)
}

proptest! {
    // An input that fails is added to `tests/cases` instead.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn base64_decode_inverts_base64_encode(text in "\\PC{0,40}") {
        prop_assert_eq!(evaluate("States.Base64Decode(States.Base64Encode($.t))", json!({"t": text})), Ok(json!(text)));
    }

    #[test]
    fn string_to_json_inverts_json_to_string(value in any_json()) {
        let found = evaluate("States.StringToJson(States.JsonToString($.j))", json!({"j": value}));
        prop_assert_eq!(found, Ok(value));
    }

    #[test]
    fn the_parts_of_an_array_make_the_whole_array(items in prop::collection::vec(any_json(), 0..12), size in 1..5_u64) {
        let parts = evaluate("States.ArrayPartition($.items, $.size)", json!({"items": items, "size": size})).unwrap();
        let parts: Vec<Vec<Value>> = serde_json::from_value(parts).unwrap();
        prop_assert!(parts.iter().rev().skip(1).all(|part| part.len() as u64 == size));
        prop_assert_eq!(parts.concat(), items);
    }

    #[test]
    fn array_unique_keeps_each_value_once(items in prop::collection::vec(0..5_i64, 0..12)) {
        let unique = evaluate("States.ArrayUnique($.items)", json!({"items": items})).unwrap();
        // The order is that of a Java hash set, in which small integers are sorted.
        prop_assert_eq!(unique, json!(BTreeSet::from_iter(items)));
    }

    #[test]
    fn string_split_inverts_joining(parts in prop::collection::vec("[a-z]{1,4}", 1..6)) {
        let found = evaluate("States.StringSplit($.t, ',;')", json!({"t": parts.join(",;")}));
        prop_assert_eq!(found, Ok(json!(parts)));
    }

    #[test]
    fn format_accepts_any_argument(value in any_json(), before in "[^{}\\\\']{0,6}") {
        let found = evaluate("States.Format(States.Format('{}{}', $.b, '{}'), $.v)", json!({"b": before, "v": value}));
        let found = found.map(|text| text.as_str().and_then(|text| text.strip_prefix(&before)).map(str::to_owned));
        let is_enclosed_in = |brackets: [char; 2]| {
            found.as_ref().is_ok_and(|text| {
                text.as_ref().is_some_and(|text| text.starts_with(brackets[0]) && text.ends_with(brackets[1]))
            })
        };
        match &value {
            serde_json::Value::String(text) => prop_assert_eq!(found, Ok(Some(text.clone()))),
            serde_json::Value::Array(_) => prop_assert!(is_enclosed_in(['[', ']']), "an array"),
            serde_json::Value::Object(_) => prop_assert!(is_enclosed_in(['{', '}']), "an object"),
            scalar => prop_assert_eq!(found, Ok(Some(scalar.to_string()))),
        }
    }

    #[test]
    fn math_add_has_32_bits(one in any::<i32>(), other in any::<i32>()) {
        let found = evaluate("States.MathAdd($.one, $.other)", json!({"one": one, "other": other}));
        match one.checked_add(other) {
            Some(sum) => prop_assert_eq!(found, Ok(json!(sum))),
            None => prop_assert_eq!(found.unwrap_err().error, "States.Runtime"),
        }
    }

    #[test]
    fn a_path_finds_a_value_or_fails_with_a_runtime_error(path in any_path(), data in any_json()) {
        let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Pass", "Parameters": {"v.$": path}, "End": true}}});
        if let Ok(machine) = StateMachine::parse(&definition.to_string())
            && let Outcome::Failed(failure) = run(&machine, data).0.outcome
        {
            prop_assert_eq!(failure.error, "States.Runtime");
        }
    }

    #[test]
    fn a_function_returns_a_value_or_fails_with_a_runtime_error(call in any_call(), data in any_json()) {
        let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Pass", "Parameters": {"v.$": call}, "End": true}}});
        if let Ok(machine) = StateMachine::parse(&definition.to_string())
            && let Outcome::Failed(failure) = run(&machine, data).0.outcome
        {
            prop_assert_eq!(failure.error, "States.Runtime");
        }
    }

    #[test]
    fn no_text_makes_the_loader_panic(text in "[{}\\[\\]:,\"A-Za-z0-9.$ ]{0,60}") {
        let _ = StateMachine::parse(&text);
    }

    #[test]
    fn every_valid_definition_runs_to_its_end(definition in any_machine(2, "outer"), input in any_json()) {
        let Ok(machine) = StateMachine::parse(&with_resources(definition)) else { return Ok(()) };
        let (finished, events) = run(&machine, input.clone());
        prop_assert_eq!(finished.events, events.len() as u64);
        prop_assert!(finished.events <= EVENTS_MAX);
        for (index, event) in events.iter().enumerate() {
            prop_assert_eq!(event.id, index as u64 + 1);
            prop_assert!(event.previous < event.id);
        }
        prop_assert_eq!(history::export(&events)["events"].as_array().map(Vec::len), Some(events.len()));
        prop_assert_eq!(run(&machine, input), (finished, events));
    }
}
