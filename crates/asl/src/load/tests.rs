mod states;

use super::*;

/// The defects of a definition, each as `path: reason`.
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

#[test]
fn a_definition_needs_its_required_fields() {
    assert_eq!(defects("[]"), ["$: Definition must be a valid JSON object"]);
    assert!(defects("{")[0].starts_with("$: Definition must be a valid JSON object: "));
    assert_eq!(defects("{}"), ["$: These fields are required: [States, StartAt]"]);
    assert_eq!(
        defects(r#"{"StartAt":"A","States":{}}"#),
        ["$.States: Value cannot be empty", "$.StartAt: Missing 'Next' target: A", "$: Workflow has no terminal state"]
    );
    assert_eq!(
        of_state(r#""End":true"#),
        ["$.States.S: The field 'Type' is required", "$: Workflow has no terminal state"]
    );
    assert_eq!(defects(r#"{"StartAt":"A","States":[]}"#), ["$.States: Expected value of type Object"]);
}

#[test]
fn all_defects_are_reported_at_once() {
    let definition = r#"{
        "StartAt": "Nowhere", "Version": "2.0", "TimeoutSeconds": -1, "Extra": 1, "Comment": 5,
        "States": {
            "A b": {"Type": "Pass", "Next": "C", "Secs": 1},
            "B": {"Type": "Wait", "Seconds": -1, "End": true},
            "D": {"Type": "Nap", "End": true}
        }
    }"#;
    assert_eq!(
        defects(definition),
        [
            "$.Version: Value should be one of the following: [1.0]",
            "$.TimeoutSeconds: Minimum value is 0",
            "$.StartAt: Missing 'Next' target: Nowhere",
            "$.States['A b'].Next: Missing 'Next' target: C",
            "$.States['A b']: Field 'Secs' is not supported",
            "$.States.B.Seconds: Minimum value is 0",
            "$.States.D.Type: The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, \
             Parallel, Map]",
            "$.Comment: Expected value of type String",
            "$: Field 'Extra' is not supported",
        ]
    );
}

#[test]
fn unsupported_features_are_rejected_by_name() {
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
        [
            "$.States.S: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage"
        ]
    );
    let iterator =
        r#""Iterator":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    assert_eq!(of_state(&format!(r#""Type":"Map","End":true,{iterator}"#)), [""; 0]);
    let processor = r#""ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    assert_eq!(
        of_state(&format!(r#""Type":"Map","End":true,"ItemReader":{{}},"ResultWriter":{{}},{processor}"#)),
        [
            "$.States.S.ItemReader: 'ItemReader' belongs to a distributed Map, which is not supported: use an inline Map",
            "$.States.S.ResultWriter: 'ResultWriter' belongs to a distributed Map, which is not supported: use an inline Map",
            "$.States.S.ItemProcessor.ProcessorConfig.Mode: A distributed Map is not supported: use an inline Map",
        ]
    );
}

#[test]
fn a_state_has_either_next_or_end() {
    assert_eq!(
        of_state(r#""Type":"Pass""#),
        [
            "$.States.S: This object should have only one of the following fields: [Next, End]",
            "$: Workflow has no terminal state"
        ]
    );
    assert_eq!(
        of_state(r#""Type":"Pass","End":true,"Next":"S""#),
        ["$.States.S: There should only be one of the following fields: [Next, End]"]
    );
    assert_eq!(
        of_state(r#""Type":"Pass","End":false"#),
        ["$.States.S.End: Expected true, or a field 'Next' instead", "$: Workflow has no terminal state"]
    );
    assert_eq!(of_state(r#""Type":"Succeed","End":true"#), ["$.States.S: Field 'End' is not supported"]);
    assert_eq!(of_state(r#""Type":"Fail","Next":"S","InputPath":"$""#).len(), 2);
}

#[test]
fn a_state_machine_needs_a_terminal_state() {
    let looped = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"},"C":{"Type":"Pass","Next":"A"}}}"#;
    assert_eq!(defects(looped), ["$: Workflow has no terminal state"]);
    let message = load(looped).unwrap_err().service_message();
    assert_eq!(
        message,
        "Invalid State Machine Definition: 'MISSING_END_STATE: Workflow has no terminal state at null'"
    );
    assert_eq!(
        of_state(r#""Type":"Pass","Next":"C""#),
        ["$.States.S.Next: Missing 'Next' target: C", "$: Workflow has no terminal state"]
    );
    // Only the whole state machine needs one, not a branch.
    let within = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}"#;
    assert_eq!(of_state(&format!(r#""Type":"Parallel","End":true,"Branches":[{within}]"#)), [""; 0]);
}

#[test]
fn a_missing_start_or_default_state_is_a_defect() {
    assert_eq!(
        defects(r#"{"StartAt":"Nope","States":{"A":{"Type":"Pass","End":true}}}"#),
        ["$.StartAt: Missing 'Next' target: Nope", r#"$.States.A: State "A" is not reachable."#]
    );
    assert_eq!(
        of_state(r#""Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"S"}],"Default":"Ghost""#),
        ["$.States.S.Default: Missing 'Next' target: Ghost", "$: Workflow has no terminal state"]
    );
}

#[test]
fn only_the_state_machine_and_states_can_set_a_query_language() {
    let inner = r#"{"QueryLanguage":"JSONPath","StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}"#;
    let within = [
        (format!(r#""Type":"Map","End":true,"ItemProcessor":{inner}"#), "$.States.S.ItemProcessor"),
        (format!(r#""Type":"Map","End":true,"Iterator":{inner}"#), "$.States.S.Iterator"),
        (format!(r#""Type":"Parallel","End":true,"Branches":[{inner}]"#), "$.States.S.Branches[0]"),
    ];
    for (fields, place) in within {
        assert_eq!(of_state(&fields), [format!("{place}: Field 'QueryLanguage' is not supported")]);
    }
    assert_eq!(
        of_state(r#""Type":"Pass","End":true,"QueryLanguage":"jsonpath""#),
        ["$.States.S.QueryLanguage: Value should be one of the following: [JSONPath, JSONata]"]
    );
}

#[test]
fn unreachable_states_are_defects() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","End":true},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"B"}}}"#;
    assert_eq!(
        defects(definition),
        [r#"$.States.B: State "B" is not reachable."#, r#"$.States.C: State "C" is not reachable."#]
    );
}

#[test]
fn service_messages_match_the_service() {
    let message = |definition| load(definition).unwrap_err().service_message();
    assert_eq!(
        message(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"C"},"B":{"Type":"Task","Resource":"arn:aws:r","End":true,
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
fn state_names_are_unique_in_the_whole_definition() {
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
        {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}]}}}"#;
    assert_eq!(
        defects(definition),
        ["$.States.P.Branches[1].States.A: Duplicate State name: A, which is also at $.States.P.Branches[0].States.A"]
    );
    let long = "x".repeat(81);
    assert_eq!(
        defects(&format!(r#"{{"StartAt":"{long}","States":{{"{long}":{{"Type":"Succeed"}}}}}}"#)),
        [format!(
            "$.States.{long}: Invalid State name: State '{long}' exceeds the 80-character limit allowed by the service"
        )]
    );
}

#[test]
fn a_repeated_key_is_a_defect() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Parameters":{"a":[{"b":1,"c":2,"b":3}]},"End":true},
        "A":{"Type":"Pass","End":true}}}"#;
    assert_eq!(
        defects(definition),
        [
            "$.States.A.Parameters.a[0].b: 'b' is given twice in the same object",
            "$.States.A: 'A' is given twice in the same object",
        ]
    );
}

#[test]
fn a_branch_cannot_assign_an_outer_variable() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
        "P":{"Type":"Parallel","End":true,"Branches":[
            {"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"x.$":"$"},"End":true}}}]}}}"#;
    assert_eq!(
        defects(definition),
        ["$.States.P.Branches[0].States.B: The variable 'x' is already assigned in an enclosing state machine"]
    );
}
