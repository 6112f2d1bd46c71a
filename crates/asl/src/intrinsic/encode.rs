//! Intrinsic functions for Base64 and digests. `None` means that the arguments are invalid.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::digest;
use crate::java;

/// The maximum number of characters that these functions accept.
const INPUT_CHARS_MAX: usize = 10_000;

/// Needs no padding, and drops the bits that do not fill a byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn base64_encode(text: &Value) -> Option<Value> {
    limited(text.as_str()?).map(|text| Value::String(STANDARD.encode(text)))
}

/// Decodes as leniently as the service: it skips characters outside the alphabet, and the first `=` ends the input.
pub(super) fn base64_decode(text: &Value) -> Option<Value> {
    let digit = |c: char| match c {
        '-' => Some('+'),
        '_' => Some('/'),
        '+' | '/' => Some(c),
        c => c.is_ascii_alphanumeric().then_some(c),
    };
    let mut digits: String = limited(text.as_str()?)?.chars().take_while(|c| *c != '=').filter_map(digit).collect();
    if digits.len() % 4 == 1 {
        // A single last digit has too few bits for a byte.
        digits.pop();
    }
    let bytes = LENIENT.decode(digits).ok()?;
    Some(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A value other than a string is converted to a string first.
pub(super) fn hash(data: &Value, algorithm: &Value) -> Option<Value> {
    let text = java::to_string(data);
    let bytes = limited(&text)?.as_bytes();
    let digest = match algorithm.as_str()? {
        "MD5" => digest::md5(bytes).to_vec(),
        "SHA-1" => digest::sha1(bytes).to_vec(),
        "SHA-256" => Sha256::digest(bytes).to_vec(),
        "SHA-384" => Sha384::digest(bytes).to_vec(),
        "SHA-512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    Some(Value::String(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn limited(text: &str) -> Option<&str> {
    (text.chars().count() <= INPUT_CHARS_MAX).then_some(text)
}
