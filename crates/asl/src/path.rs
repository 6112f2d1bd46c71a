//! Paths: `$.a.b[0]` into the data, `$$.State.Name` into the context object, `$name.a` into a variable.
//!
//! Nearly all paths in definitions are plain: names and indices, one after the other. Those are walked here, without
//! a library. What comes after the plain beginning of any other path (wildcards, slices, filters, deep scans) is
//! left to `serde_json_path`. The semantics are those of the library that the service uses: a path that can only
//! mean one place is *definite*, and fails if the place does not exist; any other answers an array of all that it
//! finds, which may be empty.

mod parse;
mod query;

use std::borrow::Cow;

use serde_json::{Map, Value};

use query::Query;

/// A parsed path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// As written in the definition.
    pub(crate) text: String,
    pub(crate) root: Root,
    pub(crate) steps: Vec<Step>,
    /// What follows the plain steps. Only indefinite paths have it.
    rest: Option<Query>,
    /// Whether it ends with `.length()`: how many items or fields are there. Only definite paths do.
    length: bool,
}

/// What a path starts from.
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
    /// From the end if negative.
    Index(i64),
}

/// Where a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// The value at the root of the path is null.
    NullRoot,
    /// Nothing is at the last step of the path; an index beyond an array's end is told apart, because the service
    /// does.
    Last { beyond_end: bool },
    /// Nothing is at this step, and more steps follow.
    Before(usize),
    /// It leads to so much that there is no room for it.
    TooLarge,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        parse::parse(text)
    }

    /// Whether it consists of names and indices only, and so means one place at most.
    pub(crate) fn is_definite(&self) -> bool {
        self.rest.is_none()
    }

    /// Whether it is a Reference Path: usable to write to, and free of negative indices.
    pub(crate) fn is_reference(&self) -> bool {
        self.is_definite()
            && !self.length
            && self.steps.iter().all(|step| !matches!(step, Step::Index(index) if *index < 0))
    }

    /// Whether it is `$`, all of the data.
    pub(crate) fn is_all_data(&self) -> bool {
        self.root == Root::Data && self.steps.is_empty() && self.is_definite() && !self.length
    }

    /// Follows the path from what stands at its root.
    pub(crate) fn find<'v>(&self, root: &'v Value) -> Result<Cow<'v, Value>, Miss> {
        self.find_from(root, 0)
    }

    /// Whether it can only be followed from its root, because a filter looks at that.
    pub(crate) fn needs_root(&self) -> bool {
        self.rest.as_ref().is_some_and(Query::needs_root)
    }

    /// The same, with the first `skip` steps taken already.
    pub(crate) fn find_from<'v>(&self, root: &'v Value, skip: usize) -> Result<Cow<'v, Value>, Miss> {
        let steps = self.steps.get(skip..).unwrap_or_default();
        if root.is_null() && (!steps.is_empty() || self.rest.is_some()) {
            return Err(Miss::NullRoot);
        }
        let found = walk(root, steps, self.rest.is_some());
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

    /// The path as an error names it: `$$.a` and `$name.a` are followed from `$` in their own object.
    pub(crate) fn rooted(&self) -> &str {
        match self.root {
            Root::Context => self.text.get(1..).unwrap_or(&self.text),
            Root::Data | Root::Variable(_) => &self.text,
        }
    }

    /// The first `steps` steps in brackets, `$['a'][0]`, as the service's library prints them.
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

fn walk<'v>(root: &'v Value, steps: &[Step], more_follows: bool) -> Result<&'v Value, Miss> {
    let mut at = root;
    for (taken, step) in steps.iter().enumerate() {
        let next = match (step, at) {
            (Step::Name(name), Value::Object(fields)) => field(fields, name),
            (Step::Index(index), Value::Array(items)) => nth(items, *index),
            _ => None,
        };
        at = match next {
            Some(value) => value,
            None if taken + 1 < steps.len() || more_follows => return Err(Miss::Before(taken)),
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

/// Looking at a few names is quicker than hashing one.
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
    fn plain_paths_are_walked() {
        let data = json!({"a": {"b-c": [1, {"d e": 2}]}, "n": null});
        assert_eq!(find("$", &data), Ok(data.clone()));
        assert_eq!(find("$.a.b-c[0]", &data), Ok(json!(1)));
        assert_eq!(find("$['a'][\"b-c\"][-1]['d e']", &data), Ok(json!(2)));
        assert_eq!(find("$.n", &data), Ok(json!(null)));
        assert_eq!(find("$.a.['b-c'].[1]['d e']", &data), Ok(json!(2)));
    }

    #[test]
    fn a_path_may_end_with_a_length() {
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
    fn definite_paths_miss_and_indefinite_ones_answer_arrays() {
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

    /// As the service was seen to: https://github.com/localstack/localstack/pull/12366.
    #[test]
    fn an_indefinite_path_from_what_is_not_there_finds_nothing() {
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
        // What cannot be applied to what is there is another thing.
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
    fn a_filter_may_look_at_the_root() {
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
    fn roots_are_told_apart() {
        assert_eq!(Path::parse("$$.State.Name").unwrap().root, Root::Context);
        assert_eq!(Path::parse("$count[0].x").unwrap().root, Root::Variable("count".to_owned()));
        assert_eq!(Path::parse("$$").unwrap().root, Root::Context);
        assert_eq!(Path::parse("$$.Map.Item").unwrap().rooted(), "$.Map.Item");
    }

    #[test]
    fn nonsense_is_refused() {
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
