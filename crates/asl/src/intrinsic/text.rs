//! Functions on texts and on JSON as text.

use std::borrow::Cow;

use serde_json::Value;

use super::text_argument;

/// Each `{}` of the template is replaced by the next argument. `\{`, `\}` and `\\` stand for themselves.
pub(super) fn format(template: &Value, arguments: &[Cow<'_, Value>]) -> Result<Value, String> {
    let template = text_argument(template)?;
    let mut filled = String::new();
    let mut left = arguments.iter();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(escaped @ ('{' | '}' | '\\' | '\''))) => {
                filled.push(*escaped);
                chars.next();
            }
            ('{', Some('}')) => {
                chars.next();
                match left.next().map(Cow::as_ref) {
                    Some(Value::String(text)) => filled.push_str(text),
                    Some(other) => filled.push_str(&as_java_prints(other)),
                    None => return Err(mismatch(template, arguments.len())),
                }
            }
            ('{' | '}', _) => return Err(format!("A brace in '{template}' is neither part of '{{}}' nor escaped")),
            (c, _) => filled.push(c),
        }
    }
    match left.next() {
        None => Ok(Value::String(filled)),
        Some(_) => Err(mismatch(template, arguments.len())),
    }
}

/// Objects and arrays as Java prints its maps and lists, which is what the service does: `{a=1, b=[x, null]}`.
fn as_java_prints(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", list(items.iter().map(as_java_prints).collect())),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key}={}", as_java_prints(value)));
            format!("{{{}}}", list(fields.collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn mismatch(template: &str, arguments: usize) -> String {
    format!("The number of '{{}}' in '{template}' is not that of the arguments, {arguments}")
}

pub(super) fn json_merge(one: &Value, other: &Value, deep: &Value) -> Result<Value, String> {
    if deep != &Value::Bool(false) {
        return Err("Only shallow merging is supported: the third argument must be false".to_owned());
    }
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut merged = one.clone();
            merged.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
            Ok(Value::Object(merged))
        }
        _ => Err("Expected two objects to merge".to_owned()),
    }
}

/// Every character of the second text separates, and nothing is kept of what is empty.
pub(super) fn split(text: &Value, delimiters: &Value) -> Result<Value, String> {
    let (text, delimiters) = (text_argument(text)?, text_argument(delimiters)?);
    let parts = text.split(|c| delimiters.contains(c)).filter(|part| !part.is_empty());
    Ok(parts.map(Value::from).collect())
}

/// What is empty is null to the service, and its integers have no negative zero.
pub(super) fn string_to_json(text: &Value) -> Result<Value, String> {
    let text = text_argument(text)?;
    match text.trim() {
        "" => Ok(Value::Null),
        "-0" => Ok(0.into()),
        json => serde_json::from_str(json).map_err(|error| format!("'{text}' is not JSON: {error}")),
    }
}
