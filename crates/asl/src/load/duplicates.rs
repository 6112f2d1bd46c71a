//! Finds keys that an object has twice. Parsing JSON into a value keeps the last one and drops the others silently.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Loader;
use crate::invalid;

/// Adds a defect for each repeated key. The definition must be valid JSON.
pub(super) fn find(definition: &str, loader: &Loader) {
    let mut reader = serde_json::Deserializer::from_str(definition);
    let read = Value { loader, place: "$".to_owned() }.deserialize(&mut reader);
    debug_assert!(read.is_ok(), "{read:?}: the definition is valid JSON");
}

/// Visits a value and the values in it, and keeps none of them.
struct Value<'l> {
    loader: &'l Loader,
    place: String,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = invalid::field(&self.place, &key);
            if !keys.insert(key.clone()) {
                self.loader.defect(place.clone(), format!("'{key}' is given twice in the same object"));
            }
            map.next_value_seed(Value { loader: self.loader, place })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while items
            .next_element_seed(Value { loader: self.loader, place: format!("{}[{index}]", self.place) })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
