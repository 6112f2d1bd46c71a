use serde_json::json;

use super::*;

fn find(path: &str, data: &Value) -> Result<Value, Miss> {
    Path::parse(path).unwrap().find(data).map(Cow::into_owned)
}

#[test]
fn plain_paths_find_values() {
    let data = json!({"a": {"b-c": [1, {"d e": 2}]}, "n": null});
    assert_eq!(find("$", &data), Ok(data.clone()));
    assert_eq!(find("$.a.b-c[0]", &data), Ok(json!(1)));
    assert_eq!(find("$['a'][\"b-c\"][-1]['d e']", &data), Ok(json!(2)));
    assert_eq!(find("$.n", &data), Ok(json!(null)));
    assert_eq!(find("$.a.['b-c'].[1]['d e']", &data), Ok(json!(2)));
}

#[test]
fn a_definite_path_can_end_with_length() {
    let data = json!({"a": [1, 2, 3], "o": {"x": 1}, "t": "text"});
    assert_eq!(find("$.a.length()", &data), Ok(json!(3)));
    assert_eq!(find("$.length()", &data), Ok(json!(3)));
    assert_eq!(find("$.o.length()", &data), Ok(json!(1)));
    assert_eq!(find("$.t.length()", &data), Ok(json!(null)));
    assert_eq!(find("$.nope.length()", &data), Err(Miss::Last { beyond_end: false }));
    assert!(!Path::parse("$.a.length()").unwrap().is_reference());
    assert!(Path::parse("$.a[*].length()").is_err());
    assert!(Path::parse("$.length().a").is_err());
}

#[test]
fn definite_paths_fail_and_indefinite_paths_give_arrays() {
    let data = json!({"a": [{"x": 1}, {"x": 2}, {"y": 3}]});
    assert_eq!(find("$.b", &data), Err(Miss::Last { beyond_end: false }));
    assert_eq!(find("$.a[7]", &data), Err(Miss::Last { beyond_end: true }));
    assert_eq!(find("$.b.c", &data), Err(Miss::Before(0)));
    assert_eq!(find("$.a[*].x", &data), Ok(json!([1, 2])));
    assert_eq!(find("$.a[*].nope", &data), Ok(json!([])));
    assert_eq!(find("$.a[0:2].x", &data), Ok(json!([1, 2])));
    assert_eq!(find("$.a[?(@.x > 1)]", &data), Ok(json!([{"x": 2}])));
    assert_eq!(find("$..x", &data), Ok(json!([1, 2])));
    assert_eq!(find("$.a.*.y", &data), Ok(json!([3])));
    assert_eq!(find("$.a[0,2]", &data), Ok(json!([{"x": 1}, {"y": 3}])));
}

/// The service was observed to do this: https://github.com/localstack/localstack/pull/12366.
#[test]
fn an_indefinite_path_from_a_missing_value_gives_an_empty_array() {
    let data = json!({"item": {"x": 1}, "text": "x", "null": null});
    for path in ["$.items[*]", "$.items[1:]", "$.items[:1]", "$.item.items[*]", "$.items[*].x", "$.item.items[1:].x"] {
        assert_eq!(find(path, &data), Ok(json!([])), "{path}");
    }
    for path in ["$.nope[?(@.x)]", "$.nope..x", "$.null[1:]", "$.text[*]"] {
        assert_eq!(find(path, &data), Ok(json!([])), "{path}");
    }
    assert_eq!(find("$[*]", &json!({})), Ok(json!([])));
    // It fails from a value that exists but has the wrong type.
    for path in ["$[1:5]", "$[1:]", "$[:1]", "$[0,1]", "$.item[1:]", "$.text[?(@.x)]"] {
        assert_eq!(find(path, &data), Err(Miss::Last { beyond_end: false }), "{path}");
    }
    assert_eq!(find("$[1:5]", &json!([])), Ok(json!([])));
}

#[test]
fn a_filter_tests_an_object_itself() {
    let data = json!({"o": {"x": 1, "in": {"x": 2}}, "a": [{"x": 1}, {"x": 2}]});
    assert_eq!(find("$.o[?(@.x == 1)]", &data), Ok(json!([data["o"]])));
    assert_eq!(find("$.o[?(@.x == 2)]", &data), Ok(json!([])));
    assert_eq!(find("$.o[?(@.x == 1)].in.x", &data), Ok(json!([2])));
    assert_eq!(find("$.a[?(@.x == 2)]", &data), Ok(json!([{"x": 2}])));
}

#[test]
fn a_filter_can_refer_to_the_root() {
    let data = json!({"least": 2, "in": {"a": [{"x": 1}, {"x": 2, "$": 0}, {"x": 3}]}});
    assert_eq!(find("$.in.a[?(@.x >= $.least)].x", &data), Ok(json!([2, 3])));
    assert_eq!(find("$.in.a[?(@['$'] == 0)].x", &data), Ok(json!([2])));
    assert_eq!(find("$.nope.a[?(@.x >= $.least)]", &data), Ok(json!([])));
}

#[test]
fn null_has_no_fields() {
    assert_eq!(find("$.a", &json!(null)), Err(Miss::NullRoot));
    assert_eq!(find("$", &json!(null)), Ok(json!(null)));
}

#[test]
fn paths_have_the_right_root() {
    assert_eq!(Path::parse("$$.State.Name").unwrap().root, Root::Context);
    assert_eq!(Path::parse("$count[0].x").unwrap().root, Root::Variable("count".to_owned()));
    assert_eq!(Path::parse("$$").unwrap().root, Root::Context);
    assert_eq!(Path::parse("$$.Map.Item").unwrap().rooted(), "$.Map.Item");
}

#[test]
fn invalid_paths_do_not_parse() {
    for text in
        ["", "a", "$.", "$.a.", "$[", "$['a", "$.a[b]", "$ .a", "$.a b", "$..", "$1", "$.a[?(]", "$.a()", "$['a','b']"]
    {
        assert!(Path::parse(text).is_err(), "{text}");
    }
}
