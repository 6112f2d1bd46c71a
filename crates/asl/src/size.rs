//! How large a value is as JSON, without writing it anywhere.

use serde_json::{Map, Number, Value};

/// Bytes of values that are held only until a smaller one is made of them: the arguments of a function, the outputs of
/// a Map's iterations. The service documents no limit for these; this one is that of all variables together.
pub(crate) const WORKING_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Levels of a value. What a loop wraps again and again would else grow until it can no longer be dropped: that takes
/// a little of the stack for each level.
const LEVELS_MAX: usize = 1000;

/// Whether a value takes more than `limit` bytes as JSON, or is deeper than any value may be. Counting ends at the
/// limit.
pub(crate) fn exceeds(value: &Value, limit: usize) -> bool {
    !Room::of(limit).take(value)
}

/// A value's bytes as JSON.
pub(crate) fn bytes(value: &Value) -> usize {
    let mut left = usize::MAX;
    fits(value, &mut left, LEVELS_MAX);
    usize::MAX - left
}

/// Bytes that are left for values.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Room {
    pub(crate) fn of(bytes: usize) -> Room {
        Room(bytes)
    }

    /// Takes a value's bytes from those that are left, if there are so many.
    pub(crate) fn take(&mut self, value: &Value) -> bool {
        fits(value, &mut self.0, LEVELS_MAX)
    }
}

fn fits(value: &Value, left: &mut usize, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(true) => take(left, "true".len()),
        Value::Bool(false) => take(left, "false".len()),
        Value::Number(number) => take(left, digits(number)),
        Value::String(text) => take(left, quoted(text)),
        _ if levels == 0 => false,
        Value::Array(items) => {
            take(left, "[]".len() + items.len().saturating_sub(1))
                && items.iter().all(|item| fits(item, left, levels - 1))
        }
        Value::Object(fields) => {
            take(left, "{}".len() + punctuation(fields))
                && fields.iter().all(|(name, value)| take(left, quoted(name)) && fits(value, left, levels - 1))
        }
    }
}

fn take(left: &mut usize, bytes: usize) -> bool {
    match left.checked_sub(bytes) {
        Some(less) => {
            *left = less;
            true
        }
        None => false,
    }
}

/// A colon for each field, and commas between them.
fn punctuation(fields: &Map<String, Value>) -> usize {
    (fields.len() * 2).saturating_sub(1)
}

fn digits(number: &Number) -> usize {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number.checked_ilog10().unwrap_or(0) as usize + 1,
        (None, Some(number)) => number.unsigned_abs().ilog10() as usize + "-0".len(),
        (None, None) => number.to_string().len(),
    }
}

fn quoted(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => "u0000".len(),
        _ => 0,
    };
    "\"\"".len() + text.len() + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_counted_not_characters() {
        let value = json!({"a": "é\n"});
        let length = value.to_string().len();
        assert_eq!(length, r#"{"a":"é\n"}"#.len());
        assert!(!exceeds(&value, length));
        assert!(exceeds(&value, length - 1));
    }

    proptest::proptest! {
        #[test]
        fn it_is_the_length_of_the_text(text in "\\PC{0,9}|[\\x00-\\x7f]{0,9}", integer: i64, float in -1.0e20..1.0e20) {
            let large = u64::MAX - integer.unsigned_abs();
            for value in [json!([text, integer, float, large, 0, null, true, false, [], {}]), json!({&text: text, "b": [[1]]})] {
                let length = value.to_string().len();
                proptest::prop_assert!(!exceeds(&value, length), "{value}");
                proptest::prop_assert!(exceeds(&value, length - 1), "{value}");
            }
        }
    }
}
