use super::*;

const TASK: &str = r#""Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true"#;

#[test]
fn credentials_need_a_role() {
    let with = |resource: &str, credentials: &str| {
        of_state(&format!(r#""Type":"Task","End":true,"Resource":"{resource}","Credentials":{credentials}"#))
    };
    let invoke = "arn:aws:states:::lambda:invoke";
    assert_eq!(with(invoke, r#"{"RoleArn.$":"$.role"}"#), [""; 0]);
    assert_eq!(
        with(invoke, r#"{"Role":"r"}"#),
        ["$.States.S.Credentials: The field 'RoleArn' is required but was missing"]
    );
    assert_eq!(
        with("arn:aws:states:us-east-1:123456789012:activity:a", r#"{"RoleArn":"r"}"#),
        ["$.States.S.Credentials: The field 'Credentials' is not supported for activities"]
    );
}

#[test]
fn defects_of_retry_and_catch_are_reported() {
    let entries = [
        (r#""Retry":5"#, "$.States.S.Retry: Expected value of type Array"),
        (r#""Retry":[5]"#, "$.States.S.Retry[0]: Expected value of type Object"),
        (r#""Retry":[{}]"#, "$.States.S.Retry[0]: These fields are required: [ErrorEquals]"),
        (r#""Retry":[{"ErrorEquals":[]}]"#, "$.States.S.Retry[0].ErrorEquals: Value cannot be empty"),
        (r#""Retry":[{"ErrorEquals":[1]}]"#, "$.States.S.Retry[0].ErrorEquals: Expected values of type String"),
        (
            r#""Retry":[{"ErrorEquals":["States.ALL","A"]}]"#,
            "$.States.S.Retry[0].ErrorEquals[0]: States.ALL must appear alone and at end of list",
        ),
        (
            r#""Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}]"#,
            "$.States.S.Retry[0].ErrorEquals[0]: States.ALL must appear alone and at end of list",
        ),
        (
            r#""Catch":[{"ErrorEquals":["A","States.ALL"],"Next":"S"}]"#,
            "$.States.S.Catch[0].ErrorEquals[1]: States.ALL must appear alone and at end of list",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"BackoffRate":0.5}]"#,
            "$.States.S.Retry[0].BackoffRate: Minimum value is 1.0",
        ),
        (
            r#""Retry":[{"ErrorEquals":["A"],"MaxAttempts":100000000}]"#,
            "$.States.S.Retry[0].MaxAttempts: Maximum value is 99999999",
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
            "$.States.S.Retry[0].JitterStrategy: Value should be one of the following: [NONE, FULL]",
        ),
        (r#""Retry":[{"ErrorEquals":["A"],"Next":"S"}]"#, "$.States.S.Retry[0]: Field 'Next' is not supported"),
        (r#""Catch":[{"ErrorEquals":["A"]}]"#, "$.States.S.Catch[0]: These fields are required: [Next]"),
        (r#""Catch":[{"ErrorEquals":["A"],"Next":"T"}]"#, "$.States.S.Catch[0].Next: Missing 'Next' target: T"),
    ];
    for (entry, expected) in entries {
        assert_eq!(of_state(&format!("{TASK},{entry}")), [expected], "{entry}");
    }
    assert_eq!(of_state(r#""Type":"Pass","End":true,"Retry":[]"#), ["$.States.S: Field 'Retry' is not supported"]);
    let largest = r#""Retry":[{"ErrorEquals":["A"],"MaxAttempts":99999999,"IntervalSeconds":99999999},{"ErrorEquals":["States.ALL"],"MaxAttempts":0}]"#;
    assert_eq!(of_state(&format!("{TASK},{largest}")), [""; 0]);
}

#[test]
fn defects_of_paths_and_templates_are_reported() {
    let fields = [
        (
            r#""InputPath":"a""#,
            "$.States.S.InputPath: Value must be a valid JSONPath. 'a' is not a path: it must start with '$'",
        ),
        (r#""InputPath":5"#, "$.States.S.InputPath: Expected value of type String"),
        (
            r#""ResultPath":"$.a[*]""#,
            "$.States.S.ResultPath: Value is not a Reference Path: it can have only names and indices",
        ),
        (
            r#""ResultPath":"$$.a""#,
            "$.States.S.ResultPath: Value must start with '$.': a result cannot be written to the context object or to a variable",
        ),
        (
            r#""Parameters":{"a":[{"b.$":"x"}]}"#,
            "$.States.S.Parameters.a[0]['b.$']: The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call: 'x' is not a function call",
        ),
        (
            r#""Parameters":{"b.$":5}"#,
            "$.States.S.Parameters['b.$']: The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call",
        ),
        (r#""Parameters":{"b.$":"$","b":1}"#, "$.States.S.Parameters['b.$']: 'b' is given twice, as 'b' and as 'b.$'"),
        (r#""ResultSelector":5"#, "$.States.S.ResultSelector: Expected value of type Object"),
        (r#""Assign":{"states":1}"#, "$.States.S.Assign: Cannot assign to reserved variable '$states'."),
        (
            r#""Assign":{"1":1}"#,
            "$.States.S.Assign: Invalid variable name '1': the variable name contains invalid characters.",
        ),
        (
            r#""TimeoutSeconds":1,"TimeoutSecondsPath":"$.t""#,
            "$.States.S: There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath]",
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

/// The operators, as recorded error texts of the service list them.
const OPERATORS: &str = "StringEquals, IsBoolean, StringLessThan, IsNumeric, BooleanEquals, StringLessThanEqualsPath, \
    NumericLessThan, NumericGreaterThan, NumericLessThanPath, StringMatches, TimestampLessThanEqualsPath, \
    NumericEquals, TimestampGreaterThan, StringGreaterThanEqualsPath, TimestampGreaterThanEqualsPath, \
    TimestampLessThanEquals, NumericLessThanEqualsPath, TimestampEquals, BooleanEqualsPath, IsTimestamp, \
    StringLessThanEquals, NumericLessThanEquals, StringLessThanPath, TimestampGreaterThanPath, \
    StringGreaterThan, StringGreaterThanPath, IsString, StringEqualsPath, TimestampEqualsPath, \
    TimestampLessThan, StringGreaterThanEquals, NumericGreaterThanPath, NumericGreaterThanEquals, \
    NumericEqualsPath, TimestampLessThanPath, IsNull, IsPresent, TimestampGreaterThanEquals, \
    NumericGreaterThanEqualsPath";

#[test]
fn a_comparison_has_one_operator() {
    let none =
        format!("$.States.S.Choices[0]: This object should have only one of the following fields: [{OPERATORS}]");
    let several = format!("$.States.S.Choices[0]: There should only be one of the following fields: [{OPERATORS}]");
    let rules = [
        (r#"{"Variable":"$.a","Next":"E"}"#, &none),
        (r#"{"Variable":"$.a","IsNullPath":"$.b","Next":"E"}"#, &none),
        (r#"{"Variable":"$.a","IsNull":true,"StringEquals":"a","Next":"E"}"#, &several),
    ];
    for (rule, expected) in rules {
        let definition = format!(
            r#"{{"StartAt":"S","States":{{"E":{{"Type":"Succeed"}},"S":{{"Type":"Choice","Choices":[{rule}],"Default":"E"}}}}}}"#
        );
        assert_eq!(defects(&definition).first(), Some(expected), "{rule}");
    }
}

#[test]
fn defects_of_choices_are_reported() {
    let rules = [
        (r#"{"Variable":"$.a","IsNull":true}"#, "$.States.S.Choices[0]: These fields are required: [Next]"),
        (
            r#"{"Next":"E"}"#,
            "$.States.S.Choices[0]: The object must have only one of the following fields, [And, Or, Not, Variable, Condition]",
        ),
        (
            r#"{"Variable":"$.a","IsNull":true,"Not":{"Variable":"$.a","IsNull":true},"Next":"E"}"#,
            "$.States.S.Choices[0]: The object must have only one of the following fields, [And, Or, Not, Variable, Condition]",
        ),
        (
            r#"{"Condition":"{% true %}","Next":"E"}"#,
            "$.States.S.Choices[0]: The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage",
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
        (r#"{"And":[],"Next":"E"}"#, "$.States.S.Choices[0].And: Value cannot be empty"),
        (
            r#"{"Not":{"Variable":"$.a","IsNull":true,"Next":"E"},"Next":"E"}"#,
            "$.States.S.Choices[0].Not: Field 'Next' is not supported",
        ),
        (
            r#"{"Or":[{"Variable":"a","IsNull":true}],"Next":"E"}"#,
            "$.States.S.Choices[0].Or[0].Variable: Value is not a Reference Path: Reference path didn't start with '$'",
        ),
    ];
    for (rule, expected) in rules {
        let definition = format!(
            r#"{{"StartAt":"S","States":{{"E":{{"Type":"Succeed"}},"S":{{"Type":"Choice","Choices":[{rule}],"Default":"E"}}}}}}"#
        );
        let defects = defects(&definition);
        assert_eq!(defects.first().map(String::as_str), Some(expected), "{rule}: {defects:?}");
    }
    let no_end = "$: Workflow has no terminal state";
    assert_eq!(of_state(r#""Type":"Choice""#), ["$.States.S: These fields are required: [Choices]", no_end]);
    assert_eq!(of_state(r#""Type":"Choice","Choices":[]"#), ["$.States.S.Choices: Value cannot be empty", no_end]);
}

#[test]
fn defects_of_wait_and_fail_states_are_reported() {
    assert_eq!(
        of_state(r#""Type":"Wait","End":true"#),
        [
            "$.States.S: This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]"
        ]
    );
    assert_eq!(
        of_state(r#""Type":"Wait","Seconds":1,"Timestamp":"2020-01-01T00:00:00Z","End":true"#),
        [
            "$.States.S: There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]"
        ]
    );
    assert_eq!(
        of_state(r#""Type":"Wait","Timestamp":"2020-01-01","End":true"#),
        ["$.States.S.Timestamp: String does not match RFC3339 timestamp"]
    );
    assert_eq!(
        of_state(r#""Type":"Fail","Error":"a","ErrorPath":"$.a""#),
        ["$.States.S: There should only be one of the following fields: [Error, ErrorPath]"]
    );
}

#[test]
fn defects_of_map_and_parallel_states_are_reported() {
    assert_eq!(
        of_state(r#""Type":"Map","End":true"#),
        ["$.States.S: This object should have only one of the following fields: [ItemProcessor, Iterator]"]
    );
    assert_eq!(of_state(r#""Type":"Parallel","End":true"#), ["$.States.S: These fields are required: [Branches]"]);
    assert_eq!(
        of_state(r#""Type":"Parallel","Branches":[],"End":true"#),
        ["$.States.S.Branches: Value cannot be empty"]
    );
    let inner = r#"{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    let processor = format!(r#""Type":"Map","End":true,"ItemProcessor":{inner}"#);
    assert_eq!(of_state(&processor), [""; 0]);
    assert_eq!(
        of_state(&format!(r#"{processor},"Iterator":{inner}"#)),
        ["$.States.S: There should only be one of the following fields: [ItemProcessor, Iterator]",]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"ItemBatcher":{{}}"#)),
        [
            "$.States.S.ItemBatcher: One of these fields is required: [MaxItemsPerBatch, MaxItemsPerBatchPath, MaxInputBytesPerBatch, MaxInputBytesPerBatchPath]"
        ]
    );
    assert_eq!(
        of_state(&format!(
            r#"{processor},"MaxConcurrencyPath":"$$.Execution.Input.n","ItemsPath":"$$.Execution.Input.i""#
        )),
        [
            "$.States.S.MaxConcurrencyPath: Value is not a Reference Path: only ItemsPath can refer to the context object"
        ]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"ToleratedFailurePercentage":101"#)),
        ["$.States.S.ToleratedFailurePercentage: Maximum value is 100.0"]
    );
    assert_eq!(
        of_state(&format!(r#"{processor},"MaxConcurrency":-1"#)),
        ["$.States.S.MaxConcurrency: Minimum value is 0"]
    );
}
