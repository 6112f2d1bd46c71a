//! The part of an indefinite path after its plain start: wildcards, slices, filters and deep scans.

use serde_json::Value;
use serde_json_path::{JsonPath, ParseError};

use crate::size::{self, ByteBudget};

/// The maximum number of values that a segment can match: several for each byte of the largest payload. Without it,
/// several deep scans in one path would match each value once for every route to it.
const NODES_MAX: usize = 1_000_000;

#[derive(Clone, Debug)]
pub(super) struct Query {
    form: Form,
    first: First,
}

#[derive(Clone, Debug)]
enum Form {
    /// Segments to follow in order, from the end of the plain steps.
    Segments(Vec<Segment>),
    /// The whole path, in which a filter refers to the root.
    FromRoot(JsonPath),
}

#[derive(Clone, Debug)]
struct Segment {
    path: JsonPath,
    /// Whether the segment is a filter, which tests the items of an array, but an object itself.
    filter: bool,
}

/// The kind of the first segment, by the values that it applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// A slice or several indices apply to arrays.
    Items,
    /// A filter applies to arrays and objects.
    Filter,
    /// A wildcard or a deep scan applies to any value.
    Any,
}

impl Query {
    /// Parses the segments. `before` is the plain start of the path.
    pub(super) fn parse(before: &str, segments: &[String]) -> Result<Query, ParseError> {
        let parse = |segments: &str| JsonPath::parse(&format!("${segments}"));
        let segment = |text: &String| parse(text).map(|path| Segment { path, filter: text.starts_with("[?") });
        let form = match segments.iter().any(|segment| mentions_root(segment)) {
            true => Form::FromRoot(parse(&format!("{before}{}", segments.concat()))?),
            false => Form::Segments(segments.iter().map(segment).collect::<Result<_, _>>()?),
        };
        Ok(Query { form, first: segments.first().map_or(First::Any, |first| First::of(first)) })
    }

    pub(super) fn needs_root(&self) -> bool {
        matches!(self.form, Form::FromRoot(_))
    }

    /// Whether the query applies to the value at the plain start of its path. A query that applies to null matches nothing.
    pub(super) fn applies_to(&self, value: &Value) -> bool {
        match self.first {
            First::Items => value.is_array() || value.is_null(),
            First::Filter => value.is_array() || value.is_object(),
            First::Any => true,
        }
    }

    /// An array of all matched values. `None` if they are too many or too large.
    pub(super) fn find(&self, start: &Value, root: &Value) -> Option<Value> {
        let nodes = match &self.form {
            Form::Segments(segments) => follow(segments, start)?,
            Form::FromRoot(path) => path.query(root).all(),
        };
        let mut budget = ByteBudget::new(size::WORKING_BYTES_MAX);
        let values = nodes.into_iter().map(|node| budget.take(node).then(|| node.clone()));
        values.collect::<Option<_>>().map(Value::Array)
    }
}

impl First {
    fn of(segment: &str) -> Self {
        let of_items = |c: char| c.is_ascii_digit() || matches!(c, ':' | '-' | ',' | ' ');
        match segment.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
            Some(inside) if inside.starts_with('?') => Self::Filter,
            Some(inside) if inside.chars().all(of_items) => Self::Items,
            _ => Self::Any,
        }
    }
}

fn follow<'v>(segments: &[Segment], start: &'v Value) -> Option<Vec<&'v Value>> {
    let mut nodes = vec![start];
    for segment in segments {
        let mut next = Vec::new();
        for node in nodes {
            if segment.filter && node.is_object() {
                let alone = Value::Array(vec![node.clone()]);
                next.extend((!segment.path.query(&alone).is_empty()).then_some(node));
            } else {
                next.extend(segment.path.query(node));
            }
            if next.len() > NODES_MAX {
                return None;
            }
        }
        nodes = next;
    }
    Some(nodes)
}

/// Whether the segment has a `$` outside quotes.
fn mentions_root(segment: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in segment.chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '$') => return true,
            (None, _) => {}
        }
    }
    false
}
