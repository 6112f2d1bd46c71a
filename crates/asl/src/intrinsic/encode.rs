//! Base64 and digests.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{digest, text_argument};

/// Characters that these functions take at most.
const INPUT_CHARS_MAX: usize = 10_000;

/// Padding may be missing, as to Java's decoder.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn base64_encode(text: &Value) -> Result<Value, String> {
    limited(text_argument(text)?).map(|text| Value::String(STANDARD.encode(text)))
}

pub(super) fn base64_decode(text: &Value) -> Result<Value, String> {
    let text = limited(text_argument(text)?)?;
    let bytes = LENIENT.decode(text).map_err(|error| format!("The input is not Base64: {error}"))?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Anything but a text is digested as JSON.
pub(super) fn hash(data: &Value, algorithm: &Value) -> Result<Value, String> {
    let text = match data {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let bytes = limited(&text)?.as_bytes();
    let digest = match text_argument(algorithm)? {
        "MD5" => digest::md5(bytes).to_vec(),
        "SHA-1" => digest::sha1(bytes).to_vec(),
        "SHA-256" => Sha256::digest(bytes).to_vec(),
        "SHA-384" => Sha384::digest(bytes).to_vec(),
        "SHA-512" => Sha512::digest(bytes).to_vec(),
        other => {
            return Err(format!(
                "The algorithm '{other}' is not supported: use MD5, SHA-1, SHA-256, SHA-384 or SHA-512"
            ));
        }
    };
    Ok(Value::String(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn limited(text: &str) -> Result<&str, String> {
    match text.chars().count() {
        0..=INPUT_CHARS_MAX => Ok(text),
        chars => Err(format!("The input has {chars} characters, which is more than {INPUT_CHARS_MAX}")),
    }
}
