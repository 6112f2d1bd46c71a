//! JSON requests and answers, which Systems Manager and DynamoDB use. CloudWatch's CBOR is read into the same fields.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::service::{ServiceError, refuse, unsupported};

/// The fields of a request, or of a structure in it. The code that serves a call consumes them one by one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    place: String,
    members: Map<String, Value>,
}

impl Fields {
    pub(crate) fn new(place: &str, value: Value) -> Result<Fields, ServiceError> {
        match value {
            Value::Object(members) => Ok(Fields { place: place.to_owned(), members }),
            other => Err(malformed(place, &other)),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Returns a field without consuming it.
    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, ServiceError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(malformed(&self.at(name), &other)),
        }
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<String, ServiceError> {
        let taken = self.string(name)?;
        taken.ok_or_else(|| {
            refuse(
                "ValidationException",
                format!("Value null at '{}' failed to satisfy constraint: Member must not be null", self.at(name)),
            )
        })
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ServiceError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(malformed(&self.at(name), &other)),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, ServiceError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| malformed(&self.at(name), &value)),
        }
    }

    pub(crate) fn strings(&mut self, name: &str) -> Result<Vec<String>, ServiceError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(value) => serde_json::from_value(value.clone()).map_err(|_| malformed(&self.at(name), &value)),
        }
    }

    /// Consumes a map from string to `T`.
    pub(crate) fn map<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<BTreeMap<String, T>, ServiceError> {
        match self.take(name) {
            None => Ok(BTreeMap::new()),
            Some(value) => serde_json::from_value(value.clone()).map_err(|_| malformed(&self.at(name), &value)),
        }
    }

    /// Consumes a structure.
    pub(crate) fn structure(&mut self, name: &str) -> Result<Option<Fields>, ServiceError> {
        let place = self.at(name);
        self.take(name).map(|value| Fields::new(&place, value)).transpose()
    }

    /// Consumes a list of structures.
    pub(crate) fn structures(&mut self, name: &str) -> Result<Vec<Fields>, ServiceError> {
        let place = self.at(name);
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.into_iter().map(|value| Fields::new(&place, value)).collect(),
            Some(other) => Err(malformed(&place, &other)),
        }
    }

    /// Refuses fields that no code consumed.
    pub(crate) fn finish(&self) -> Result<(), ServiceError> {
        match self.members.iter().find(|(_, value)| !value.is_null()) {
            Some((name, value)) => Err(unsupported(format_args!("the field {}={value}", self.at(name)))),
            None => Ok(()),
        }
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }
}

fn malformed(place: &str, value: &Value) -> ServiceError {
    refuse("SerializationException", format!("{place} cannot be {value}"))
}

pub(crate) fn decode(body: &[u8]) -> Result<Value, ServiceError> {
    serde_json::from_slice(body).map_err(|error| refuse("SerializationException", error.to_string()))
}

pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "writing to memory does not fail, and an answer's keys are strings")]
    serde_json::to_vec(value).expect("an answer is written")
}

/// The body of an error.
pub(crate) fn error(error: &ServiceError) -> Vec<u8> {
    encode(&json!({"__type": error.code, "message": error.message}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_consumed_and_the_rest_is_refused_by_name() {
        let mut fields = Fields::new("SendCommand", json!({"A": "x", "B": [1], "C": null})).unwrap();
        assert_eq!(fields.required("A").unwrap(), "x");
        assert_eq!(fields.finish().unwrap_err().message, "the simulator does not support the field SendCommand.B=[1]");
        assert_eq!(fields.strings("B").unwrap_err().code, "SerializationException");
        assert_eq!(fields.finish(), Ok(()));
    }
}
