//! What a call is about, beyond its action and resource: the keys that conditions ask for.

use std::collections::BTreeMap;

/// A condition key that a context may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It has one value, such as `ec2:CreateAction`.
    One(&'static str),
    /// It has any number of values, such as `aws:TagKeys`.
    Many(&'static str),
    /// It has one value for each key of a tag, which follows it, such as `aws:RequestTag/`.
    OfTag(&'static str),
}

impl Key {
    /// Whether a condition's key is this one. Names of keys are not case-sensitive, those of tags in them neither.
    pub(crate) fn is(self, name: &str) -> bool {
        match self {
            Key::One(own) | Key::Many(own) => own.eq_ignore_ascii_case(name),
            Key::OfTag(own) => {
                let split = name.split_at_checked(own.len());
                split.is_some_and(|(start, tag)| start.eq_ignore_ascii_case(own) && !tag.is_empty())
            }
        }
    }
}

/// The keys of one call, and their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// The same, with one value for `key`.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Context {
        self.with_all(key, [value])
    }

    /// The same, with these values for `key`; with none of them the key is absent.
    #[must_use]
    pub fn with_all<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Context {
        let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
        if !values.is_empty() {
            self.0.insert(key.to_ascii_lowercase(), values);
        }
        self
    }

    /// The values of a key that is in lowercase; none if it is absent.
    pub(crate) fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}
