use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::context::Identity;
use crate::random::Random;
use crate::scope::Scope;

fn evaluate(expression: &str, data: Value) -> Result<Value, EngineError> {
    let started = Timestamp::UNIX_EPOCH;
    let text = || String::from("x");
    let identity = Identity {
        name: text(),
        id: text(),
        role: text(),
        state_machine: text(),
        state_machine_id: text(),
        input: std::sync::Arc::new(Value::Null),
        started,
    };
    let (scope, random) = (std::rc::Rc::<Scope>::default(), Random::from_seed(1));
    assert!(scope.set("count", std::sync::Arc::new(json!(3))));
    let environment = Environment {
        identity: &identity,
        scope: &scope,
        random: &random,
        item: None,
        state: "S",
        entered: started,
        retries: None,
        token: None,
        payload_bytes: 262_144,
    };
    Intrinsic::parse(expression).unwrap().evaluate(&data, &environment)
}

#[test]
fn functions_return_what_the_documentation_and_recordings_show() {
    let cases = [
        ("States.Format('Hello, {} of {}', $.name, 3)", json!("Hello, Ann of 3")),
        ("States.Format('{} {} {}', $.list, null, true)", json!("[1, 2, 3, 4] null true")),
        (r"States.Format('\{\} it\'s {}', 1.5)", json!("{} it's 1.5")),
        ("States.Format($.template, 1)", json!("n=1")),
        ("States.Format('{}', $count)", json!("3")),
        // https://github.com/localstack/localstack recorded these in an execution on AWS.
        ("States.Format('snd={}.', $.object)", json!("snd={a=1, b=2}.")),
        ("States.StringToJson('')", json!(null)),
        ("States.StringToJson(' ')", json!(null)),
        ("States.StringToJson('-0')", json!(0)),
        ("States.StringToJson('{\"a\":1}')", json!({"a": 1})),
        ("States.JsonToString($.object)", json!("{\"a\":1,\"b\":2}")),
        ("States.Array()", json!([])),
        ("States.Array('a', 1, $.object.a, null)", json!(["a", 1, 1, null])),
        ("States.ArrayPartition($.list, 3)", json!([[1, 2, 3], [4]])),
        ("States.ArrayContains($.list, 4)", json!(true)),
        ("States.ArrayContains($.list, 5)", json!(false)),
        ("States.ArrayContains($.list, 4.0)", json!(false)),
        ("States.ArrayContains($.list, '4')", json!(true)),
        ("States.ArrayContains(States.Array('true'), true)", json!(true)),
        ("States.ArrayContains(States.Array($.object), States.StringToJson('{\"b\":2,\"a\":1}'))", json!(false)),
        ("States.ArrayRange(1, 9, 2)", json!([1, 3, 5, 7, 9])),
        ("States.ArrayRange(3, 0, -2)", json!([3, 1])),
        ("States.ArrayRange(3, 0, 1)", json!([])),
        ("States.ArrayRange(1.6, 1.4, 1)", json!([1])),
        ("States.ArrayRange(5.4, -0.6, -2.4)", json!([5, 3, 1])),
        ("States.ArrayPartition($.list, 2.6)", json!([[1, 2], [3, 4]])),
        ("States.ArrayGetItem($.list, 1.6)", json!(2)),
        ("States.ArrayGetItem(States.Array(), 999)", json!(null)),
        ("States.ArrayGetItem($.list, 0)", json!(1)),
        ("States.ArrayLength($.list)", json!(4)),
        ("States.MathAdd($.list.length(), 1)", json!(5)),
        ("States.ArrayLength($.list[?(@ == 0)])", json!(0)),
        ("States.ArrayLength($.list[*].nope)", json!(0)),
        ("States.ArrayUnique(States.Array(1, 2, 1, 'a', 'a'))", json!([1, "a", 2])),
        ("States.ArrayUnique(States.Array(true, false, true))", json!([false, true])),
        ("States.ArrayUnique(States.Array(States.Array(1, 2), States.Array(2, 1)))", json!([[2, 1], [1, 2]])),
        ("States.ArrayUnique(States.Array(null, 1, '1', '01', null))", json!([null, 1, "1", "01"])),
        ("States.Base64Encode('Data to encode')", json!("RGF0YSB0byBlbmNvZGU=")),
        ("States.Base64Decode('RGVjb2RlZCBkYXRh')", json!("Decoded data")),
        ("States.Base64Decode('YQ')", json!("a")),
        ("States.Base64Decode(' YWJj!ZA== and more')", json!("abcd")),
        ("States.Hash('input data', 'SHA-1')", json!("aaff4a450a104cd177d28d18d74485e8cae074b7")),
        ("States.Hash('abc', 'MD5')", json!("900150983cd24fb0d6963f7d28e17f72")),
        ("States.Hash('abc', 'SHA-256')", json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
        ("States.JsonMerge($.object, $.other, 'false')", json!({"a": 1, "b": {"deep": true}, "c": 3})),
        ("States.MathAdd($.object.a, -4)", json!(-3)),
        ("States.MathAdd(1.5, 1.4)", json!(3)),
        ("States.MathAdd(1.49, 1.5)", json!(3)),
        ("States.MathAdd(-1.49, -1.5)", json!(-2)),
        ("States.MathAdd(-1.5, -1.51)", json!(-3)),
        ("States.StringSplit('1,2.3,,4', ',.')", json!(["1", "2", "3", "4"])),
        ("States.Format('{}', States.Format('{}', States.MathAdd(1, 1)))", json!("2")),
    ];
    let data = json!({
        "name": "Ann", "list": [1, 2, 3, 4], "template": "n={}",
        "object": {"a": 1, "b": 2}, "other": {"b": {"deep": true}, "c": 3},
    });
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression, data.clone()), Ok(expected), "{expression}");
    }
}

#[test]
fn random_functions_are_seeded() {
    let number = evaluate("States.MathRandom(1, 1000)", json!(null)).unwrap().as_i64().unwrap();
    assert!((1..1000).contains(&number));
    assert_eq!(evaluate("States.UUID()", json!(null)), evaluate("States.UUID( 'x', 1 )", json!(null)));
    // https://github.com/gabrielmoreira/tiny-asl-machine recorded these in executions on AWS.
    let drawn = [
        ("(1, 100, 42)", 63),
        ("(1, 1000, 2)", 806),
        ("(1, 10, -10)", 1),
        ("(1, 5, 42)", 3),
        ("(2147483640, 2147483647, 1)", 2_147_483_644),
        ("(-5, 5, 42)", -5),
    ];
    for (arguments, number) in drawn {
        assert_eq!(evaluate(&format!("States.MathRandom{arguments}"), json!(null)), Ok(json!(number)), "{arguments}");
    }
}

#[test]
fn the_error_for_a_missing_argument_names_the_whole_expression() {
    let expression = "States.Format('{}', States.Format('{}',$.nope))";
    let error = evaluate(expression, json!({"other": 1})).unwrap_err();
    assert_eq!(error.name, "States.Runtime");
    assert_eq!(
        error.cause,
        format!(
            "The function '{expression}' had the following error: The JsonPath argument for the field '$.nope' \
             could not be found in the input '{{\"other\":1}}'"
        )
    );
    assert!(evaluate("States.Format('{}', $.items[5])", json!({"items": [1]})).is_err());
}

#[test]
fn merged_objects_have_the_key_order_of_a_copied_hash_map() {
    let merged = |one: &str, other: &str| {
        let data = format!(r#"{{"one": {one}, "other": {other}}}"#);
        let merged = evaluate("States.JsonMerge($.one, $.other, false)", serde_json::from_str(&data).unwrap());
        merged.unwrap().to_string()
    };
    assert_eq!(merged(r#"{"nested":1,"keep":1}"#, r#"{"nested":null}"#), r#"{"nested":null,"keep":1}"#);
    assert_eq!(merged(r#"{"a":1,"b":1,"d":1}"#, r#"{"a":2,"c":2,"d":2}"#), r#"{"a":2,"b":1,"c":2,"d":2}"#);
    assert_eq!(merged(r#"{"__proto__":1}"#, r#"{"x":1}"#), r#"{"x":1,"__proto__":1}"#);
    assert_eq!(merged("{}", r#"{"left":1,"right":2}"#), r#"{"left":1,"right":2}"#);
}

/// The expected texts are those of executions recorded on AWS, where such recordings exist.
#[test]
fn invalid_arguments_end_the_execution_with_the_services_error_text() {
    let source = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column:";
    let jackson = "Cannot convert String to Json in States.StringToJson, caused by: ";
    let placeholder_count =
        "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.";
    let recorded: [(&str, &str); 11] = [
        ("States.Format('{} {}', 1)", placeholder_count),
        ("States.Format('{}', 1, 2)", placeholder_count),
        ("States.Format(123, 1)", placeholder_count),
        ("States.Format('Hello {', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('Hello {{}}', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('}')", "Invalid template in States.Format: matching '{' not found for '}'."),
        (
            "States.StringToJson('undefined')",
            &format!(
                "{jackson}Unrecognized token 'undefined': was expecting (JSON String, Number, Array, Object or token 'null', \
                 'true' or 'false')\n at {source} 10]"
            ),
        ),
        (
            r"States.StringToJson('\{bad json\}')",
            &format!(
                "{jackson}Unexpected character ('b' (code 98)): was expecting double-quote to start field name\n \
                 at {source} 2]"
            ),
        ),
        (
            r#"States.StringToJson('\{"a":1')"#,
            &format!(
                "{jackson}Unexpected end-of-input: expected close marker for Object (start marker at {source} 1])\n \
                 at {source} 7]"
            ),
        ),
        ("States.JsonToString()", "Invalid arguments in States.JsonToString: only a single argument is allowed."),
        ("States.JsonToString(1, 2)", "Invalid arguments in States.JsonToString: only a single argument is allowed."),
    ];
    let invalid = [
        "States.ArrayContains('a', 'a')",
        "States.ArrayContains(States.Array(1))",
        "States.ArrayGetItem(States.Array(1), -1)",
        "States.ArrayGetItem(States.Array(1), 1)",
        "States.ArrayLength('abc')",
        "States.ArrayPartition('a', 1)",
        "States.ArrayPartition(States.Array(1), 0)",
        "States.ArrayPartition(States.Array(1), 0.6)",
        "States.ArrayRange(1, 10, 0)",
        "States.ArrayRange(1, 10, 0.9)",
        "States.ArrayRange(1, 1001, 1)",
        "States.ArrayUnique('abc')",
        "States.Base64Decode(1)",
        "States.Base64Encode()",
        "States.Format()",
        "States.Hash('a', 'CRC32')",
        "States.Hash('a', 'sha-256')",
        "States.JsonMerge('a', 'b', false)",
        "States.JsonMerge($, $, true)",
        "States.MathAdd('1', 2)",
        "States.MathAdd(1)",
        "States.MathAdd(2147483647, 1)",
        "States.MathAdd(3000000000, -1000000000)",
        "States.MathRandom(1.4, 1.6)",
        "States.MathRandom(1, 10, null)",
        "States.MathRandom(5, 5)",
        "States.StringSplit(1, ',')",
        "States.StringToJson(5)",
    ];
    let reason = |expression: &str| {
        let error = evaluate(expression, json!({})).unwrap_err();
        assert_eq!(error.name, "States.Runtime", "{expression}");
        let prefix = format!("There was an error while evaluating the intrinsic function: {expression}. ");
        error.cause.strip_prefix(&prefix).map(str::to_owned).ok_or(error.cause)
    };
    for (expression, expected) in recorded {
        assert_eq!(reason(expression), Ok(expected.to_owned()), "{expression}");
    }
    for expression in invalid {
        let (name, _) = expression.split_once('(').unwrap();
        assert_eq!(reason(expression), Ok(format!("Invalid arguments in {name}")), "{expression}");
    }
}

#[test]
fn malformed_expressions_do_not_parse() {
    let malformed = [
        "",
        "States.Format",
        "States.Format(",
        "States.Format('a'",
        "States.Format('a)",
        "States.Format('a',)",
        "States.Format('a') x",
        "States.Format(a)",
        "States.Nope()",
        "Format('a')",
        r#"States.Format('a \"b\"')"#,
        r"States.StringToJson('\n')",
        "States.Array($.)",
        "States.Array({})",
    ];
    for expression in malformed {
        assert!(Intrinsic::parse(expression).is_err(), "{expression}");
    }
}

#[test]
fn calls_nest_ten_deep() {
    let nested = |depth| format!("{}{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert!(Intrinsic::parse(&nested(10)).is_ok());
    assert!(Intrinsic::parse(&nested(11)).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(States\\.)?[A-Za-z.$'\\\\\\[\\](){},0-9 *?@-]{0,40}") {
        let _ = Intrinsic::parse(&text);
        let _ = Path::parse(&text);
    }
}
