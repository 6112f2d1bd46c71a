//! Attribute values. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::invalid;
use crate::service::ServiceError;

/// An item: attributes by name.
pub(super) type Item = BTreeMap<String, Attribute>;

/// A typed value. A number keeps the text it was written with. A binary value stays in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    String(String),
    Number(String),
    Binary(String),
    Boolean(bool),
    Null,
    List(Vec<Attribute>),
    Map(Item),
    /// A set of strings, numbers or binaries. The first field is its type on the wire: `SS`, `NS` or `BS`.
    Set(&'static str, BTreeSet<String>),
}

/// Writes the value in DynamoDB JSON.
impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn one<S: Serializer>(
            serializer: S,
            kind: &'static str,
            value: &(impl Serialize + ?Sized),
        ) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(kind, value)?;
            map.end()
        }
        match self {
            Attribute::String(text) => one(serializer, "S", text),
            Attribute::Number(text) => one(serializer, "N", text),
            Attribute::Binary(text) => one(serializer, "B", text),
            Attribute::Boolean(flag) => one(serializer, "BOOL", flag),
            Attribute::Null => one(serializer, "NULL", &true),
            Attribute::List(values) => one(serializer, "L", values),
            Attribute::Map(item) => one(serializer, "M", item),
            Attribute::Set(kind, values) => one(serializer, kind, values),
        }
    }
}

impl Attribute {
    pub(super) fn read(value: Value) -> Result<Attribute, ServiceError> {
        let malformed =
            || invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
        let Value::Object(object) = value else { return Err(malformed()) };
        let mut members = object.into_iter();
        let (Some((kind, value)), None) = (members.next(), members.next()) else { return Err(malformed()) };
        match (kind.as_str(), value) {
            ("S", Value::String(text)) => Ok(Attribute::String(text)),
            ("N", Value::String(text)) => number(text),
            ("B", Value::String(text)) => Ok(Attribute::Binary(text)),
            ("BOOL", Value::Bool(flag)) => Ok(Attribute::Boolean(flag)),
            ("NULL", Value::Bool(true)) => Ok(Attribute::Null),
            ("L", Value::Array(values)) => {
                values.into_iter().map(Attribute::read).collect::<Result<_, _>>().map(Attribute::List)
            }
            ("M", value) => read_item(value).map(Attribute::Map),
            ("SS", Value::Array(values)) => set("SS", values),
            ("NS", Value::Array(values)) => set("NS", values),
            ("BS", Value::Array(values)) => set("BS", values),
            _ => Err(malformed()),
        }
    }

    /// Whether two values are equal. `1` equals `1.0`.
    pub(super) fn same(&self, other: &Attribute) -> bool {
        match (self, other) {
            (Attribute::Number(_), Attribute::Number(_)) => self.order(other) == Some(Ordering::Equal),
            (Attribute::List(a), Attribute::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Attribute::Map(a), Attribute::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((ka, a), (kb, b))| ka == kb && a.same(b))
            }
            _ => self == other,
        }
    }

    /// The order of two strings, two numbers or two binaries. Other pairs have no order.
    pub(super) fn order(&self, other: &Attribute) -> Option<Ordering> {
        match (self, other) {
            (Attribute::String(a), Attribute::String(b)) | (Attribute::Binary(a), Attribute::Binary(b)) => {
                Some(a.cmp(b))
            }
            (Attribute::Number(a), Attribute::Number(b)) => match (a.parse::<i128>(), b.parse::<i128>()) {
                (Ok(a), Ok(b)) => Some(a.cmp(&b)),
                _ => a.parse::<f64>().ok()?.partial_cmp(&b.parse::<f64>().ok()?),
            },
            _ => None,
        }
    }

    /// The bytes that the value adds to the size of its item.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(super) fn size(&self) -> usize {
        match self {
            Attribute::String(text) => text.len(),
            Attribute::Number(text) => text.len().div_ceil(2) + 1,
            Attribute::Binary(text) => text.len() / 4 * 3,
            Attribute::Boolean(_) | Attribute::Null => 1,
            Attribute::List(values) => 3 + values.iter().map(|value| value.size() + 1).sum::<usize>(),
            Attribute::Map(item) => 3 + item_size(item) + item.len(),
            Attribute::Set(_, values) => values.iter().map(String::len).sum(),
        }
    }
}

/// The size of an item in bytes: its attribute names and values.
pub(super) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

pub(super) fn read_item(value: Value) -> Result<Item, ServiceError> {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| Ok((name, Attribute::read(value)?))).collect()
        }
        other => Err(invalid(format!("an item cannot be {other}"))),
    }
}

fn number(text: String) -> Result<Attribute, ServiceError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Attribute::Number(text)),
        _ => Err(invalid(format!("The parameter cannot be converted to a numeric value: {text}"))),
    }
}

fn set(kind: &'static str, values: Vec<Value>) -> Result<Attribute, ServiceError> {
    let count = values.len();
    let set: BTreeSet<String> = values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
    if count == 0 {
        return Err(invalid("One or more parameter values were invalid: An string set  may not be empty"));
    }
    if set.len() != count {
        return Err(invalid("One or more parameter values were invalid: Input collection contains duplicates."));
    }
    Ok(Attribute::Set(kind, set))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_and_written_unchanged() {
        for value in [
            json!({"S": "x"}),
            json!({"N": "-1.5"}),
            json!({"BOOL": false}),
            json!({"NULL": true}),
            json!({"L": [{"S": "x"}, {"M": {"a": {"N": "1"}}}]}),
            json!({"SS": ["a", "b"]}),
        ] {
            assert_eq!(json!(Attribute::read(value.clone()).unwrap()), value);
        }
    }

    #[test]
    fn a_malformed_value_is_refused() {
        for value in
            [json!({}), json!({"S": "x", "N": "1"}), json!({"N": "one"}), json!({"SS": []}), json!({"SS": ["a", "a"]})]
        {
            assert_eq!(Attribute::read(value).unwrap_err().code, "ValidationException");
        }
    }

    #[test]
    fn numbers_compare_by_value_and_only_with_numbers() {
        let number = |text: &str| Attribute::Number(text.to_owned());
        assert!(number("1").same(&number("1.0")));
        assert_eq!(number("9").order(&number("10")), Some(Ordering::Less));
        assert_eq!(number("1").order(&Attribute::String("1".to_owned())), None);
    }
}
