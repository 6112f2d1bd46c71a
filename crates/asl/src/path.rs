//! Paths: `$.a.b[0]` into the data, `$$.State.Name` into the context object, `$name.a` into a variable.
//!
//! Nearly all paths in definitions are plain: a sequence of names and indices. This module follows them itself. The
//! rest of any other path, after its plain start (wildcards, slices, filters, deep scans), goes to `serde_json_path`.
//!
//! The semantics are those of the library that the service uses. A path is *definite* if it can match one value at
//! most. A definite path fails if the value does not exist. An indefinite path gives an array of all values that it
//! matches, which can be empty.

mod parse;
mod query;

use std::borrow::Cow;

use serde_json::{Map, Value};

use query::Query;

/// A parsed path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// The path as the definition has it.
    pub(crate) text: String,
    pub(crate) root: Root,
    /// The plain steps that the path starts with.
    pub(crate) steps: Vec<Step>,
    /// The part after the plain steps. Only indefinite paths have it.
    rest: Option<Query>,
    /// Whether the path ends with `.length()`, and so gives the number of items or fields. Only definite paths can.
    length: bool,
}

/// The value that a path starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`
    Data,
    /// `$$`
    Context,
    /// `$name`
    Variable(String),
}

/// One step of a plain path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Name(String),
    /// A negative index counts from the end.
    Index(i64),
}

/// Why a text is not a path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidPath {
    #[error("'{0}' is not a path: it must start with '$'")]
    NoDollar(String),
    #[error("'{text}' is not a valid path: {defect}")]
    Malformed { text: String, defect: PathDefect },
}

/// What is wrong with a text that starts as a path does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathDefect {
    #[error("unexpected '{0}'")]
    Unexpected(String),
    #[error("'{0}' is not a name")]
    NotAName(String),
    #[error("a bracket is not closed")]
    UnclosedBracket,
    #[error("several names in brackets are not supported")]
    SeveralNames,
    #[error("'.length()' requires a path with names and indices only")]
    LengthOfIndefinite,
    #[error(transparent)]
    Query(#[from] serde_json_path::ParseError),
}

/// Why a path finds no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// The value at the root of the path is null.
    NullRoot,
    /// The last step of the path finds nothing. `beyond_end` says that it is an index into an array, a case that the
    /// service treats differently.
    Last { beyond_end: bool },
    /// The step with this index finds nothing, and more steps follow.
    Before(usize),
    /// The matched values are too large.
    TooLarge,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Path, InvalidPath> {
        parse::parse(text)
    }

    /// Whether the path has names and indices only, and so matches one value at most.
    pub(crate) fn is_definite(&self) -> bool {
        self.rest.is_none()
    }

    /// Whether the path is a reference path: one that can be written to, without negative indices.
    pub(crate) fn is_reference(&self) -> bool {
        self.is_definite()
            && !self.length
            && self.steps.iter().all(|step| !matches!(step, Step::Index(index) if *index < 0))
    }

    /// Whether the path is `$`, all of the data.
    pub(crate) fn is_all_data(&self) -> bool {
        self.root == Root::Data && self.steps.is_empty() && self.is_definite() && !self.length
    }

    /// The value at the path, from the value of its root.
    pub(crate) fn find<'v>(&self, root: &'v Value) -> Result<Cow<'v, Value>, Miss> {
        self.find_from(root, 0)
    }

    /// Whether the path must be followed from its root, because a filter refers to the root.
    pub(crate) fn needs_root(&self) -> bool {
        self.rest.as_ref().is_some_and(Query::needs_root)
    }

    /// The value at the path, if `root` is the value after the first `skip` steps.
    pub(crate) fn find_from<'v>(&self, root: &'v Value, skip: usize) -> Result<Cow<'v, Value>, Miss> {
        let steps = self.steps.get(skip..).unwrap_or_default();
        if root.is_null() && (!steps.is_empty() || self.rest.is_some()) {
            return Err(Miss::NullRoot);
        }
        let found = follow(root, steps, self.rest.is_some());
        match &self.rest {
            None if self.length => found.map(|found| Cow::Owned(length(found))),
            None => found.map(Cow::Borrowed),
            Some(query) => match found {
                Err(_) => Ok(Cow::Owned(Value::Array(Vec::new()))),
                Ok(found) if !query.applies_to(found) => Err(Miss::Last { beyond_end: false }),
                Ok(found) => query.find(found, root).map(Cow::Owned).ok_or(Miss::TooLarge),
            },
        }
    }

    /// The path as an error names it. A path into the context object starts with one `$` there.
    pub(crate) fn rooted(&self) -> &str {
        match self.root {
            Root::Context => self.text.get(1..).unwrap_or(&self.text),
            Root::Data | Root::Variable(_) => &self.text,
        }
    }

    /// The first `steps` steps in bracket notation, `$['a'][0]`, as the service's library prints them.
    pub(crate) fn bracketed(&self, steps: usize) -> String {
        let mut text = String::from("$");
        for step in self.steps.iter().take(steps) {
            match step {
                Step::Name(name) => text.push_str(&format!("['{name}']")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

fn follow<'v>(root: &'v Value, steps: &[Step], more_follows: bool) -> Result<&'v Value, Miss> {
    let mut at = root;
    for (index, step) in steps.iter().enumerate() {
        let next = match (step, at) {
            (Step::Name(name), Value::Object(fields)) => field(fields, name),
            (Step::Index(item), Value::Array(items)) => nth(items, *item),
            _ => None,
        };
        at = match next {
            Some(value) => value,
            None if index + 1 < steps.len() || more_follows => return Err(Miss::Before(index)),
            None => return Err(Miss::Last { beyond_end: matches!((step, at), (Step::Index(_), Value::Array(_))) }),
        };
    }
    Ok(at)
}

fn length(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.len().into(),
        Value::Object(fields) => fields.len().into(),
        _ => Value::Null,
    }
}

/// Comparing a few names is faster than hashing one.
fn field<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    match fields.len() {
        0..=8 => fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value),
        _ => fields.get(name),
    }
}

fn nth(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
    items.get(usize::try_from(index).ok()?)
}

#[cfg(test)]
mod tests {
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
        for path in
            ["$.items[*]", "$.items[1:]", "$.items[:1]", "$.item.items[*]", "$.items[*].x", "$.item.items[1:].x"]
        {
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
        for text in [
            "",
            "a",
            "$.",
            "$.a.",
            "$[",
            "$['a",
            "$.a[b]",
            "$ .a",
            "$.a b",
            "$..",
            "$1",
            "$.a[?(]",
            "$.a()",
            "$['a','b']",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
