//! Functions on texts and on JSON as text.

use std::borrow::Cow;

use serde_json::Value;

use super::{invalid_arguments, not_json};
use crate::java;

/// Each `{}` of the template is replaced by the next argument. `\{`, `\}` and `\\` stand for themselves.
///
/// # Errors
/// In the service's words, as far as recordings show them.
pub(super) fn format(name: &str, arguments: &[Cow<'_, Value>]) -> Result<Value, String> {
    let [template, arguments @ ..] = arguments else { return Err(invalid_arguments(name)) };
    let template = java::print(template);
    let unmatched =
        |missing, brace| Err(format!("Invalid template in {name}: matching '{missing}' not found for '{brace}'."));
    let mut filled = String::new();
    let mut left = arguments.iter();
    let mut asked = 0;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(escaped @ ('{' | '}' | '\\' | '\''))) => {
                filled.push(*escaped);
                chars.next();
            }
            ('{', Some('}')) => {
                chars.next();
                asked += 1;
                filled.extend(left.next().map(|argument| java::print(argument)));
            }
            ('{', _) => return unmatched('}', '{'),
            ('}', _) => return unmatched('{', '}'),
            (c, _) => filled.push(c),
        }
    }
    match asked == arguments.len() {
        true => Ok(Value::String(filled)),
        false => {
            let invalid = invalid_arguments(name);
            Err(format!("{invalid}: number of arguments do not match the occurrences of {{}}."))
        }
    }
}

/// Not deep, whatever is not `true` asks for. The first object is copied into a hash map.
pub(super) fn json_merge(one: &Value, other: &Value, deep: &Value) -> Option<Value> {
    let (one, other) = (one.as_object()?, other.as_object()?);
    if deep == &Value::Bool(true) {
        return None;
    }
    let mut merged = one.clone();
    merged.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
    let buckets = java::buckets_of_copy(if one.is_empty() { other.len() } else { one.len() });
    let mut merged: Vec<_> = merged.into_iter().collect();
    java::in_hash_order(&mut merged, buckets, |(key, _)| java::hash_of_text(key));
    Some(Value::Object(merged.into_iter().collect()))
}

/// Every character of the second text separates, and nothing is kept of what is empty.
pub(super) fn split(text: &Value, delimiters: &Value) -> Option<Value> {
    let (text, delimiters) = (text.as_str()?, delimiters.as_str()?);
    let parts = text.split(|c| delimiters.contains(c)).filter(|part| !part.is_empty());
    Some(parts.map(Value::from).collect())
}

/// What is empty is null to the service, and a lone `-0` is 0.
///
/// # Errors
/// In the service's words, as far as recordings show them.
pub(super) fn string_to_json(name: &str, arguments: &[Cow<'_, Value>]) -> Result<Value, String> {
    let text = match arguments {
        [text] => text.as_str(),
        _ => None,
    };
    let text = text.ok_or_else(|| invalid_arguments(name))?;
    match text.trim_matches([' ', '\t', '\r', '\n']) {
        "" => Ok(Value::Null),
        "-0" => Ok(0.into()),
        _ => serde_json::from_str(text).map_err(|error| {
            format!("Cannot convert String to Json in {name}, caused by: {}", not_json::complaint(text, &error))
        }),
    }
}
