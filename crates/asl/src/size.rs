//! How large a value is as JSON, without writing it anywhere.

use std::io;

use serde_json::Value;

/// Whether a value takes more than `limit` bytes as JSON. Counting ends at the limit.
pub(crate) fn exceeds(value: &Value, limit: usize) -> bool {
    serde_json::to_writer(Allowance { left: limit }, value).is_err()
}

/// A writer that accepts so many bytes and then fails.
struct Allowance {
    left: usize,
}

impl io::Write for Allowance {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
}
