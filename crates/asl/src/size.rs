//! The size of a value as JSON, computed without writing it.

use serde_json::{Map, Number, Value};

/// The maximum size, in bytes, of values from which the engine then makes one result: the arguments of a function, or the
/// outputs of a Map's iterations. The service documents no such limit. This one equals that of all variables together.
pub(crate) const WORKING_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The maximum depth of a value. A loop can wrap a value in another one without end. As dropping a value uses some stack
/// for each level, a value that is too deep would overflow the stack.
const DEPTH_MAX: usize = 1000;

/// Whether a value has more than `limit` bytes as JSON, or is deeper than the maximum. Counting stops at the limit.
pub(crate) fn exceeds(value: &Value, limit: usize) -> bool {
    !ByteBudget::new(limit).take(value)
}

/// The size of a value as JSON, in bytes.
pub(crate) fn bytes(value: &Value) -> usize {
    let mut left = usize::MAX;
    fits(value, &mut left, DEPTH_MAX);
    usize::MAX - left
}

/// The bytes that values can still use.
#[derive(Debug)]
pub(crate) struct ByteBudget(usize);

impl ByteBudget {
    pub(crate) fn new(bytes: usize) -> ByteBudget {
        ByteBudget(bytes)
    }

    /// Subtracts the size of a value. Returns false if the value is larger than the budget.
    pub(crate) fn take(&mut self, value: &Value) -> bool {
        fits(value, &mut self.0, DEPTH_MAX)
    }
}

fn fits(value: &Value, left: &mut usize, depth_left: usize) -> bool {
    match value {
        Value::Null | Value::Bool(true) => take(left, "true".len()),
        Value::Bool(false) => take(left, "false".len()),
        Value::Number(number) => take(left, digits(number)),
        Value::String(text) => take(left, quoted(text)),
        _ if depth_left == 0 => false,
        Value::Array(items) => {
            take(left, "[]".len() + items.len().saturating_sub(1))
                && items.iter().all(|item| fits(item, left, depth_left - 1))
        }
        Value::Object(fields) => {
            take(left, "{}".len() + punctuation(fields))
                && fields.iter().all(|(name, value)| take(left, quoted(name)) && fits(value, left, depth_left - 1))
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

/// The bytes of a colon for each field and of the commas between fields.
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
    fn the_size_counts_bytes_and_not_characters() {
        let value = json!({"a": "é\n"});
        let length = value.to_string().len();
        assert_eq!(length, r#"{"a":"é\n"}"#.len());
        assert!(!exceeds(&value, length));
        assert!(exceeds(&value, length - 1));
    }

    proptest::proptest! {
        #[test]
        fn the_size_is_the_length_of_the_json(text in "\\PC{0,9}|[\\x00-\\x7f]{0,9}", integer: i64, float in -1.0e20..1.0e20) {
            let large = u64::MAX - integer.unsigned_abs();
            for value in [json!([text, integer, float, large, 0, null, true, false, [], {}]), json!({&text: text, "b": [[1]]})] {
                let length = value.to_string().len();
                proptest::prop_assert!(!exceeds(&value, length), "{value}");
                proptest::prop_assert!(exceeds(&value, length - 1), "{value}");
            }
        }
    }
}
