//! The context of a call: the condition keys, besides its action and resource.

use std::collections::BTreeMap;

/// A condition key that a context may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key with one value, such as `ec2:CreateAction`.
    One(&'static str),
    /// A key with any number of values, such as `aws:TagKeys`.
    Many(&'static str),
    /// A prefix that a tag key follows, such as `aws:RequestTag/`. The whole key has one value.
    OfTag(&'static str),
}

impl Key {
    /// Whether the key of a condition is this one. Neither condition keys nor the tag keys in them are case-sensitive.
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

/// The condition keys of one call, with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// The context with one value for `key` in addition.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Context {
        self.with_all(key, [value])
    }

    /// The context with these values for `key` in addition. Without values, the key stays absent.
    #[must_use]
    pub fn with_all<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Context {
        let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
        if !values.is_empty() {
            self.0.insert(key.to_ascii_lowercase(), values);
        }
        self
    }

    /// The values of a key, which must be in lowercase. An absent key has none.
    pub(crate) fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}
