use super::*;

/// The defects of a definition, as `path: reason`.
fn defects(definition: &str) -> Vec<String> {
    load(definition).map(|_| Vec::new()).unwrap_or_else(|invalid| {
        assert!(!invalid.defects.is_empty());
        invalid.defects.iter().map(ToString::to_string).collect()
    })
}

/// The defects of a definition whose only state has these fields.
fn of_state(fields: &str) -> Vec<String> {
    defects(&format!(r#"{{"StartAt":"S","States":{{"S":{{{fields}}}}}}}"#))
}

const TASK: &str = r#""Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true"#;

#[test]
fn not_a_definition() {
    assert_eq!(defects("[]"), ["$: Definition must be a valid JSON object"]);
    assert!(defects("{")[0].starts_with("$: Definition must be a valid JSON object: "));
    assert_eq!(defects("{}"), ["$: These fields are required: [States, StartAt]"]);
    assert_eq!(defects(r#"{"StartAt":"A","States":{}}"#), ["$.States: Expected at least one state"]);
    assert_eq!(defects(r#"{"StartAt":"A","States":[]}"#), ["$.States: Expected value of type Object"]);
}

#[test]
fn all_defects_are_told_at_once() {
    let definition = r#"{
        "StartAt": "Nowhere", "Version": "2.0", "TimeoutSeconds": 0, "Extra": 1, "Comment": 5,
        "States": {
            "A b": {"Type": "Pass", "Next": "C", "Secs": 1},
            "B": {"Type": "Wait", "Seconds": -1, "End": true},
            "D": {"Type": "Nap", "End": true}
        }
    }"#;
    assert_eq!(
        defects(definition),
        [
            "$.Version: Version '2.0' is not supported: the only one is '1.0'",
            "$.TimeoutSeconds: Expected a value from 1 to 99999999 but it is 0",
            "$.StartAt: Missing 'StartAt' target: Nowhere",
            "$.States['A b'].Next: Missing 'Next' target: C",
            "$.States['A b'].Secs: Field 'Secs' is not supported",
            "$.States.B.Seconds: Expected a value from 0 to 99999999 but it is -1",
            "$.States.D.Type: There is no state type 'Nap'",
            "$.Comment: Expected value of type String",
            "$.Extra: Field 'Extra' is not supported",
        ]
    );
}

#[test]
fn what_is_not_run_is_refused_by_name() {
    let jsonata = "The query language JSONata is not supported: only JSONPath is";
    assert_eq!(
        defects(r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":{},"End":true}}}"#),
        [format!("$.QueryLanguage: {jsonata}")]
    );
    assert_eq!(
        of_state(r#""Type":"Pass","QueryLanguage":"JSONata","End":true"#),
        [format!("$.States.S.QueryLanguage: {jsonata}")]
    );
    assert_eq!(of_state(r#""Type":"Pass","QueryLanguage":"JSONPath","End":true"#), [""; 0]);
    assert_eq!(
        of_state(r#""Type":"Pass","Output":1,"End":true"#),
        ["$.States.S.Output: Field 'Output' belongs to the query language JSONata, which is not supported"]
    );
    let processor = r#""ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    assert_eq!(
        of_state(&format!(r#""Type":"Map","End":true,"ItemReader":{{}},"ResultWriter":{{}},{processor}"#)),
        [
            "$.States.S.ItemReader: 'ItemReader' belongs to a distributed Map, which is not supported: only an inline one is",
            "$.States.S.ResultWriter: 'ResultWriter' belongs to a distributed Map, which is not supported: only an inline one is",
            "$.States.S.ItemProcessor.ProcessorConfig.Mode: A distributed Map is not supported: only an inline one is",
        ]
    );
}

#[test]
fn next_and_end() {
    assert_eq!(of_state(r#""Type":"Pass""#), ["$.States.S: One of these fields is required: [Next, End]"]);
    assert_eq!(
        of_state(r#""Type":"Pass","End":true,"Next":"S""#),
        ["$.States.S: Only one of these fields is allowed: [Next, End]"]
    );
    assert_eq!(
        of_state(r#""Type":"Pass","End":false"#),
        ["$.States.S.End: Expected true, or a field 'Next' in its place"]
    );
    assert_eq!(of_state(r#""Type":"Succeed","End":true"#), ["$.States.S.End: Field 'End' is not supported"]);
    assert_eq!(of_state(r#""Type":"Fail","Next":"S","InputPath":"$""#).len(), 2);
}

#[test]
fn states_that_cannot_be_reached() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","End":true},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"B"}}}"#;
    assert_eq!(
        defects(definition),
        [r#"$.States.B: State "B" is not reachable."#, r#"$.States.C: State "C" is not reachable."#]
    );
}

#[test]
fn the_service_is_quoted() {
    let message = |definition| load(definition).unwrap_err().service_message();
    assert_eq!(
        message(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"C"},"B":{"Type":"Task","Resource":"arn:r","End":true,
            "Catch":[{"ErrorEquals":["States.ALL"],"Next":"D"}]}}}"#
        ),
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: C at /States/A/Next, \
         MISSING_TRANSITION_TARGET: Missing 'Next' target: D at /States/B/Catch[0]/Next, \
         MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B'"
    );
    assert_eq!(
        message("{}"),
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States, StartAt] at /'"
    );
    assert_eq!(
        message(" "),
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at /'"
    );
    assert!(message("{").starts_with("Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: "));
    assert!(
        message(r#"{"StartAt":"A","States":{"A b":{"Type":"Pass","Parameters":{"x.$":1},"End":true}}}"#)
            .contains(" at /States/A b/Parameters/x.$")
    );
}

#[test]
fn names_are_unique_over_the_whole_definition() {
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
        {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}]}}}"#;
    assert_eq!(
        defects(definition),
        ["$.States.P.Branches[1].States.A: Duplicate state name: A, which is also at $.States.P.Branches[0].States.A"]
    );
    let long = "x".repeat(81);
    assert_eq!(
        defects(&format!(r#"{{"StartAt":"{long}","States":{{"{long}":{{"Type":"Succeed"}}}}}}"#)),
        [format!("$.States.{long}: A state's name has at most 80 characters")]
    );
}

#[test]
fn retry_and_catch() {
    let entries = [
        (r#""Retry":5"#, "$.States.S.Retry: Expected value of type Array"),
        (r#""Retry":[5]"#, "$.States.S.Retry[0]: Expected value of type Object"),
        (r#""Retry":[{}]"#, "$.States.S.Retry[0]: These fields are required: [ErrorEquals]"),
        (r#""Retry":[{"ErrorEquals":[]}]"#, "$.States.S.Retry[0].ErrorEquals: Expected at least one entry"),
        (r#""Retry":[{"ErrorEquals":[1]}]"#, "$.States.S.Retry[0].ErrorEquals: Expected values of type String"),
        (
            r#""Retry":[{"ErrorEquals":["States.ALL","A"]}]"#,
            "$.States.S.Retry[0].ErrorEquals: States.ALL must be the only error in its list",
        ),
        (
            r#""Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}]"#,
            "$.States.S.Retry[0].ErrorEquals: States.ALL must be in the last entry: no entry after it is ever used",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"BackoffRate":0.5}]"#,
            "$.States.S.Retry[0].BackoffRate: Expected a value of at least 1 but it is 0.5",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"MaxAttempts":100000000}]"#,
            "$.States.S.Retry[0].MaxAttempts: Expected a value from 0 to 99999999 but it is 100000000",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"IntervalSeconds":1.5}]"#,
            "$.States.S.Retry[0].IntervalSeconds: Expected value of type Integer",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"IntervalSeconds":5,"MaxDelaySeconds":5}]"#,
            "$.States.S.Retry[0].MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"JitterStrategy":"SOME"}]"#,
            "$.States.S.Retry[0].JitterStrategy: 'SOME' is no jitter strategy: FULL and NONE are",
        ),
        (r#""Retry":[{"ErrorEquals":["A"],"Next":"S"}]"#, "$.States.S.Retry[0].Next: Field 'Next' is not supported"),
        (r#""Catch":[{"ErrorEquals":["A"]}]"#, "$.States.S.Catch[0]: These fields are required: [Next]"),
        (r#""Catch":[{"ErrorEquals":["A"],"Next":"T"}]"#, "$.States.S.Catch[0].Next: Missing 'Next' target: T"),
    ];
    for (entry, expected) in entries {
        assert_eq!(of_state(&format!("{TASK},{entry}")), [expected], "{entry}");
    }
    assert_eq!(
        of_state(r#""Type":"Pass","End":true,"Retry":[]"#),
        ["$.States.S.Retry: Field 'Retry' is not supported"]
    );
    let largest = r#""Retry":[{"ErrorEquals":["A"],"MaxAttempts":99999999,"IntervalSeconds":99999999},{"ErrorEquals":["States.ALL"],"MaxAttempts":0}]"#;
    assert_eq!(of_state(&format!("{TASK},{largest}")), [""; 0]);
}

#[test]
fn paths_and_templates() {
    let fields = [
        (
            r#""InputPath":"a""#,
            "$.States.S.InputPath: Value is not a valid JSONPath: 'a' is not a path: it must start with '$'",
        ),
        (r#""InputPath":5"#, "$.States.S.InputPath: Expected value of type String"),
        (
            r#""ResultPath":"$.a[*]""#,
            "$.States.S.ResultPath: Value is not a Reference Path, which consists of names and indices only",
        ),
        (
            r#""ResultPath":"$$.a""#,
            "$.States.S.ResultPath: Value must start with '$.': neither the context object nor a variable can be written to",
        ),
        (
            r#""Parameters":{"a":[{"b.$":"x"}]}"#,
            "$.States.S.Parameters.a[0]['b.$']: The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call: 'x' is no function call",
        ),
        (
            r#""Parameters":{"b.$":5}"#,
            "$.States.S.Parameters['b.$']: The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call",
        ),
        (r#""Parameters":{"b.$":"$","b":1}"#, "$.States.S.Parameters['b.$']: 'b' is given twice, as 'b' and as 'b.$'"),
        (r#""ResultSelector":5"#, "$.States.S.ResultSelector: Expected value of type Object"),
        (r#""Assign":{"1":1}"#, "$.States.S.Assign: '1' cannot be the name of a variable"),
        (
            r#""TimeoutSeconds":1,"TimeoutSecondsPath":"$.t""#,
            "$.States.S: Only one of these fields is allowed: [TimeoutSeconds, TimeoutSecondsPath]",
        ),
        (
            r#""TimeoutSeconds":5,"HeartbeatSeconds":5"#,
            "$.States.S.HeartbeatSeconds: HeartbeatSeconds must be smaller than TimeoutSeconds",
        ),
    ];
    for (field, expected) in fields {
        assert_eq!(of_state(&format!("{TASK},{field}")), [expected], "{field}");
    }
    assert_eq!(
        of_state(r#""Type":"Task","Resource":"f","End":true"#),
        ["$.States.S.Resource: Value is not a valid resource ARN"]
    );
    assert_eq!(of_state(r#""Type":"Task","End":true"#), ["$.States.S: These fields are required: [Resource]"]);
    assert_eq!(of_state(r#""Type":"Task","Resource":"${Begin.Arn}","End":true"#), [""; 0]);
}

#[test]
fn choices() {
    let rules = [
        (r#"{"Variable":"$.a","IsNull":true}"#, "$.States.S.Choices[0]: These fields are required: [Next]"),
        (r#"{"Next":"E"}"#, "$.States.S.Choices[0]: These fields are required: [Variable]"),
        (r#"{"Variable":"$.a","Next":"E"}"#, "$.States.S.Choices[0]: A comparison operator is required"),
        (
            r#"{"Variable":"$.a","IsNull":true,"StringEquals":"a","Next":"E"}"#,
            "$.States.S.Choices[0]: Only one of these fields is allowed: [IsNull, StringEquals]",
        ),
        (
            r#"{"Variable":"$.a","IsNullPath":"$.b","Next":"E"}"#,
            "$.States.S.Choices[0]: A comparison operator is required",
        ),
        (
            r#"{"Variable":"$.a","StringEquals":1,"Next":"E"}"#,
            "$.States.S.Choices[0].StringEquals: Expected value of type String",
        ),
        (
            r#"{"Variable":"$.a","NumericEquals":"1","Next":"E"}"#,
            "$.States.S.Choices[0].NumericEquals: Expected value of type Number",
        ),
        (
            r#"{"Variable":"$.a","BooleanEquals":1,"Next":"E"}"#,
            "$.States.S.Choices[0].BooleanEquals: Expected value of type Boolean",
        ),
        (
            r#"{"Variable":"$.a","TimestampEquals":"today","Next":"E"}"#,
            "$.States.S.Choices[0].TimestampEquals: String does not match RFC3339 timestamp",
        ),
        (r#"{"And":[],"Next":"E"}"#, "$.States.S.Choices[0].And: Expected at least one entry"),
        (
            r#"{"Not":{"Variable":"$.a","IsNull":true,"Next":"E"},"Next":"E"}"#,
            "$.States.S.Choices[0].Not.Next: Field 'Next' is not supported",
        ),
        (
            r#"{"Or":[{"Variable":"a","IsNull":true}],"Next":"E"}"#,
            "$.States.S.Choices[0].Or[0].Variable: Value is not a valid JSONPath: 'a' is not a path: it must start with '$'",
        ),
    ];
    for (rule, expected) in rules {
        let definition = format!(
            r#"{{"StartAt":"S","States":{{"E":{{"Type":"Succeed"}},"S":{{"Type":"Choice","Choices":[{rule}],"Default":"E"}}}}}}"#
        );
        let defects = defects(&definition);
        assert_eq!(defects.first().map(String::as_str), Some(expected), "{rule}: {defects:?}");
    }
    assert_eq!(of_state(r#""Type":"Choice""#), ["$.States.S: These fields are required: [Choices]"]);
    assert_eq!(of_state(r#""Type":"Choice","Choices":[]"#), ["$.States.S.Choices: Expected at least one entry"]);
}

#[test]
fn waits_and_fails() {
    assert_eq!(
        of_state(r#""Type":"Wait","End":true"#),
        ["$.States.S: One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]"]
    );
    assert_eq!(
        of_state(r#""Type":"Wait","Seconds":1,"Timestamp":"2020-01-01T00:00:00Z","End":true"#),
        ["$.States.S: Only one of these fields is allowed: [Seconds, Timestamp]"]
    );
    assert_eq!(
        of_state(r#""Type":"Wait","Timestamp":"2020-01-01","End":true"#),
        ["$.States.S.Timestamp: String does not match RFC3339 timestamp"]
    );
    assert_eq!(
        of_state(r#""Type":"Fail","Error":"a","ErrorPath":"$.a""#),
        ["$.States.S: Only one of these fields is allowed: [Error, ErrorPath]"]
    );
}

#[test]
fn maps_and_parallels() {
    assert_eq!(of_state(r#""Type":"Map","End":true"#), ["$.States.S: These fields are required: [ItemProcessor]"]);
    assert_eq!(of_state(r#""Type":"Parallel","End":true"#), ["$.States.S: These fields are required: [Branches]"]);
    assert_eq!(
        of_state(r#""Type":"Parallel","Branches":[],"End":true"#),
        ["$.States.S.Branches: Expected at least one entry"]
    );
    let inner = r#"{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    let processor = format!(r#""Type":"Map","End":true,"ItemProcessor":{inner}"#);
    assert_eq!(of_state(&processor), [""; 0]);
    assert_eq!(
        of_state(&format!(r#"{processor},"Iterator":{inner}"#)),
        ["$.States.S: Only one of these fields is allowed: [ItemProcessor, Iterator]",]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"ItemBatcher":{{}}"#)),
        [
            "$.States.S.ItemBatcher: One of these fields is required: [MaxItemsPerBatch, MaxItemsPerBatchPath, MaxInputBytesPerBatch, MaxInputBytesPerBatchPath]"
        ]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"ToleratedFailurePercentage":101"#)),
        ["$.States.S.ToleratedFailurePercentage: Expected a value from 0 to 100 but it is 101"]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"MaxConcurrency":-1"#)),
        ["$.States.S.MaxConcurrency: Expected a value from 0 to 18446744073709551615 but it is -1"]
    );
}

#[test]
fn a_variable_has_one_scope() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
        "P":{"Type":"Parallel","End":true,"Branches":[
            {"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"x.$":"$"},"End":true}}}]}}}"#;
    assert_eq!(
        defects(definition),
        ["$.States.P.Branches[0].States.B: The variable 'x' is already assigned around this state machine"]
    );
}
