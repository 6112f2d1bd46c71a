//! Reads records of earlier releases. They stored parts of a record as JSON text of their own, where now a whole record is one
//! JSON text. And their default hop list skipped a migration class.

use crate::Version;
use crate::hops::APPWRITE_HOPS;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// Reads a part of a record, either plain or as JSON text.
pub(crate) fn or_text<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(PartOrText(PhantomData))
}

struct PartOrText<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for PartOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a record, or its JSON text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        serde_json::from_str(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq))
    }
}

/// The default hop list of earlier releases: the last patch of each minor version. It skips the class that ends at 1.9.5.
const LAST_PATCHES: [Version; 7] = [
    Version::new(1, 3, 8),
    Version::new(1, 4, 14),
    Version::new(1, 5, 11),
    Version::new(1, 6, 2),
    Version::new(1, 7, 5),
    Version::new(1, 8, 1),
    Version::new(1, 9, 6),
];

/// Reads a hop list. A record of an earlier release contains the default of its time, which is read as the default of now.
pub(crate) fn hops<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Version>, D::Error> {
    let hops = Vec::deserialize(deserializer)?;
    Ok(if hops == LAST_PATCHES { APPWRITE_HOPS.to_vec() } else { hops })
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn a_record_with_the_default_hops_of_an_earlier_release_skips_no_class() {
        let sample = include_str!("../../../samplconfig.toml");
        let with = |hops: &str| {
            let text = sample.replace("canary = 1 ", &format!("hops = [{hops}]\ncanary = 1 "));
            Config::from_toml(&text).unwrap().upgrade.hops
        };
        let default = Config::from_toml(sample).unwrap().upgrade.hops;
        assert_eq!(with(r#""1.3.8","1.4.14","1.5.11","1.6.2","1.7.5","1.8.1","1.9.6""#), default);
        assert_eq!(with(r#""1.3.8","1.4.14""#).len(), 2, "an operator's own list stays as it is");
    }
}
