//! What follows the plain beginning of an indefinite path: wildcards, slices, filters, deep scans.

use serde_json::Value;
use serde_json_path::{JsonPath, ParseError};

use crate::size::{self, Room};

/// Places that a path may lead to on its way: some for each byte of the largest payload. Deep scans after one another
/// would else find each place once for every way to it.
const PLACES_MAX: usize = 1_000_000;

#[derive(Clone, Debug)]
pub(super) struct Query {
    way: Way,
    first: First,
}

#[derive(Clone, Debug)]
enum Way {
    /// Segments that are followed one after the other from where the plain steps end.
    Segments(Vec<Segment>),
    /// The path as a whole: a filter in it compares with something at its root.
    FromRoot(JsonPath),
}

#[derive(Clone, Debug)]
struct Segment {
    path: JsonPath,
    /// A filter tests the items of an array, but an object itself.
    filter: bool,
}

/// What it begins with, by what that can be applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// A slice or several indices: to arrays.
    Items,
    /// A filter: to arrays and objects.
    Filter,
    /// A wildcard or a deep scan: to anything.
    Any,
}

impl Query {
    /// `before` are the plain steps.
    pub(super) fn parse(before: &str, segments: &[String]) -> Result<Query, ParseError> {
        let parse = |segments: &str| JsonPath::parse(&format!("${segments}"));
        let segment = |text: &String| parse(text).map(|path| Segment { path, filter: text.starts_with("[?") });
        let way = match segments.iter().any(|segment| mentions_root(segment)) {
            true => Way::FromRoot(parse(&format!("{before}{}", segments.concat()))?),
            false => Way::Segments(segments.iter().map(segment).collect::<Result<_, _>>()?),
        };
        Ok(Query { way, first: segments.first().map_or(First::Any, |first| First::of(first)) })
    }

    pub(super) fn needs_root(&self) -> bool {
        matches!(self.way, Way::FromRoot(_))
    }

    /// Whether it can be applied to what its plain beginning leads to. In nothing it finds nothing.
    pub(super) fn applies_to(&self, value: &Value) -> bool {
        match self.first {
            First::Items => value.is_array() || value.is_null(),
            First::Filter => value.is_array() || value.is_object(),
            First::Any => true,
        }
    }

    /// An array of all that is there, unless it is too much.
    pub(super) fn find(&self, start: &Value, root: &Value) -> Option<Value> {
        let places = match &self.way {
            Way::Segments(segments) => follow(segments, start)?,
            Way::FromRoot(path) => path.query(root).all(),
        };
        let mut room = Room::of(size::WORKING_BYTES_MAX);
        let values = places.into_iter().map(|place| room.take(place).then(|| place.clone()));
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
    let mut places = vec![start];
    for segment in segments {
        let mut next = Vec::new();
        for place in places {
            if segment.filter && place.is_object() {
                let alone = Value::Array(vec![place.clone()]);
                next.extend((!segment.path.query(&alone).is_empty()).then_some(place));
            } else {
                next.extend(segment.path.query(place));
            }
            if next.len() > PLACES_MAX {
                return None;
            }
        }
        places = next;
    }
    Some(places)
}

/// Whether there is a `$` outside quotes.
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
