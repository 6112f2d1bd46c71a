//! Intrinsic functions on strings, and on JSON in strings.

use std::borrow::Cow;

use serde_json::Value;

use super::{ArgumentError, jackson};
use crate::java;

/// Replaces each `{}` of the template by the next argument. `\{`, `\}`, `\\` and `\'` give the character after the
/// backslash.
pub(super) fn format(name: &'static str, arguments: &[Cow<'_, Value>]) -> Result<Value, ArgumentError> {
    let [template, arguments @ ..] = arguments else { return Err(ArgumentError::Invalid(name)) };
    let template = java::to_string(template);
    let unmatched = |missing, brace| Err(ArgumentError::UnmatchedBrace { name, missing, brace });
    let mut filled = String::new();
    let mut remaining = arguments.iter();
    let mut placeholders = 0;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(escaped @ ('{' | '}' | '\\' | '\''))) => {
                filled.push(*escaped);
                chars.next();
            }
            ('{', Some('}')) => {
                chars.next();
                placeholders += 1;
                filled.extend(remaining.next().map(|argument| java::to_string(argument)));
            }
            ('{', _) => return unmatched('}', '{'),
            ('}', _) => return unmatched('{', '}'),
            (c, _) => filled.push(c),
        }
    }
    match placeholders == arguments.len() {
        true => Ok(Value::String(filled)),
        false => Err(ArgumentError::PlaceholderCount(name)),
    }
}

/// A shallow merge. Only `true` as `deep` asks for a deep merge, which the service does not support. The keys have the
/// order of a Java `HashMap` that is a copy of the first object.
pub(super) fn json_merge(one: &Value, other: &Value, deep: &Value) -> Option<Value> {
    let (one, other) = (one.as_object()?, other.as_object()?);
    if deep == &Value::Bool(true) {
        return None;
    }
    let mut merged = one.clone();
    merged.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
    let buckets = java::buckets_of_copy(if one.is_empty() { other.len() } else { one.len() });
    let mut merged: Vec<_> = merged.into_iter().collect();
    java::sort_in_hash_order(&mut merged, buckets, |(key, _)| java::hash_of_string(key));
    Some(Value::Object(merged.into_iter().collect()))
}

/// Splits at every character of `delimiters`, and drops empty parts.
pub(super) fn split(text: &Value, delimiters: &Value) -> Option<Value> {
    let (text, delimiters) = (text.as_str()?, delimiters.as_str()?);
    let parts = text.split(|c| delimiters.contains(c)).filter(|part| !part.is_empty());
    Some(parts.map(Value::from).collect())
}

/// Parses JSON. As in the service, an empty string gives null, and `-0` gives 0.
pub(super) fn string_to_json(name: &'static str, arguments: &[Cow<'_, Value>]) -> Result<Value, ArgumentError> {
    let text = match arguments {
        [text] => text.as_str(),
        _ => None,
    };
    let text = text.ok_or(ArgumentError::Invalid(name))?;
    match text.trim_matches([' ', '\t', '\r', '\n']) {
        "" => Ok(Value::Null),
        "-0" => Ok(0.into()),
        _ => serde_json::from_str(text)
            .map_err(|error| ArgumentError::NotJson { name, cause: jackson::message(text, &error) }),
    }
}
