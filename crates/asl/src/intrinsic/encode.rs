//! Base64 and digests. `None` is what the service calls invalid arguments.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::digest;
use crate::java;

/// Characters that these functions take at most.
const INPUT_CHARS_MAX: usize = 10_000;

/// Bits that are left over are dropped.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn base64_encode(text: &Value) -> Option<Value> {
    limited(text.as_str()?).map(|text| Value::String(STANDARD.encode(text)))
}

/// The service takes anything: what is not of the alphabet is passed over, and the first `=` ends it.
pub(super) fn base64_decode(text: &Value) -> Option<Value> {
    let digit = |c: char| match c {
        '-' => Some('+'),
        '_' => Some('/'),
        '+' | '/' => Some(c),
        c => c.is_ascii_alphanumeric().then_some(c),
    };
    let mut digits: String = limited(text.as_str()?)?.chars().take_while(|c| *c != '=').filter_map(digit).collect();
    if digits.len() % 4 == 1 {
        // One digit alone has not enough bits.
        digits.pop();
    }
    let bytes = LENIENT.decode(digits).ok()?;
    Some(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Anything but a text is digested as it is printed.
pub(super) fn hash(data: &Value, algorithm: &Value) -> Option<Value> {
    let text = java::print(data);
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
