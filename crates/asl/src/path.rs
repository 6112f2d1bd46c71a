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
mod tests;
