//! CBOR requests and answers, which CloudWatch uses:
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use crate::service::{ServiceError, refuse};

/// Reads a request into JSON, which can represent all of CloudWatch's requests.
pub(crate) fn decode(body: &[u8]) -> Result<Value, ServiceError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let malformed = |error: String| refuse("SerializationException", error);
    let value: Cbor = ciborium::from_reader(body).map_err(|error| malformed(error.to_string()))?;
    plain(value).ok_or_else(|| malformed("a value that no request contains".to_owned()))
}

/// Converts a value to JSON. A time becomes its seconds.
fn plain(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(flag) => flag.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Integer(number) => i64::try_from(number).ok()?.into(),
        Cbor::Float(number) => number.into(),
        Cbor::Tag(1, seconds) => plain(*seconds)?,
        Cbor::Array(values) => Value::Array(values.into_iter().map(plain).collect::<Option<_>>()?),
        Cbor::Map(members) => {
            let member = |(name, value): (Cbor, Cbor)| Some((name.into_text().ok()?, plain(value)?));
            Value::Object(members.into_iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

pub(crate) fn encode(value: &Cbor) -> Vec<u8> {
    let mut out = Vec::new();
    #[expect(
        clippy::expect_used,
        reason = "writing to memory does not fail, and a value of strings and numbers can be written"
    )]
    ciborium::into_writer(value, &mut out).expect("a plain value is written");
    out
}

/// A map with these members.
pub(crate) fn map(members: impl IntoIterator<Item = (&'static str, Cbor)>) -> Cbor {
    Cbor::Map(members.into_iter().map(|(name, value)| (Cbor::from(name), value)).collect())
}

/// A time, as tagged seconds since 1970.
pub(crate) fn timestamp(seconds: f64) -> Cbor {
    Cbor::Tag(1, Box::new(Cbor::Float(seconds)))
}

/// The body of an error.
pub(crate) fn error(error: &ServiceError) -> Vec<u8> {
    encode(&map([("__type", Cbor::from(error.code.as_str())), ("message", Cbor::from(error.message.as_str()))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_json() {
        let body = encode(&map([("AlarmNames", Cbor::Array(vec![Cbor::from("cpu")]))]));
        assert_eq!(decode(&body).unwrap(), json!({"AlarmNames": ["cpu"]}));
        assert_eq!(decode(&[]).unwrap(), json!({}));
        assert!(decode(&[0xff]).is_err());
    }
}
