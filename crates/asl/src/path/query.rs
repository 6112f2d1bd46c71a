//! What follows the plain beginning of an indefinite path: wildcards, slices, filters, deep scans.

use serde_json::Value;
use serde_json_path::{JsonPath, ParseError};

use crate::size::{self, Room};

/// Places that a path may lead to on its way: some for each byte of the largest payload. Deep scans after one another
/// would else find each place once for every way to it.
const PLACES_MAX: usize = 1_000_000;

#[derive(Clone, Debug)]
pub(super) enum Query {
    /// Segments that are followed one after the other from where the plain steps end.
    Segments(Vec<JsonPath>),
    /// The path as a whole: a filter in it compares with something at its root.
    FromRoot(JsonPath),
}

impl Query {
    /// `before` are the plain steps.
    pub(super) fn parse(before: &str, segments: &[String]) -> Result<Query, ParseError> {
        let parse = |segments: &str| JsonPath::parse(&format!("${segments}"));
        match segments.iter().any(|segment| mentions_root(segment)) {
            true => parse(&format!("{before}{}", segments.concat())).map(Query::FromRoot),
            false => segments.iter().map(|segment| parse(segment)).collect::<Result<_, _>>().map(Query::Segments),
        }
    }

    pub(super) fn needs_root(&self) -> bool {
        matches!(self, Query::FromRoot(_))
    }

    /// An array of all that is there, unless it is too much.
    pub(super) fn find(&self, start: &Value, root: &Value) -> Option<Value> {
        let places = match self {
            Query::Segments(segments) => follow(segments, start)?,
            Query::FromRoot(path) => path.query(root).all(),
        };
        let mut room = Room::of(size::WORKING_BYTES_MAX);
        let values = places.into_iter().map(|place| room.take(place).then(|| place.clone()));
        values.collect::<Option<_>>().map(Value::Array)
    }
}

fn follow<'v>(segments: &[JsonPath], start: &'v Value) -> Option<Vec<&'v Value>> {
    let mut places = vec![start];
    for segment in segments {
        let mut next = Vec::new();
        for place in places {
            next.extend(segment.query(place));
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
