//! The filters of Describe calls. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>

use std::collections::BTreeMap;

use crate::service::{ServiceError, unsupported};
use crate::wire::form::Form;

/// A filter. A resource passes if it matches one of the values. It must pass all filters.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) name: String,
    values: Vec<String>,
}

impl Filter {
    /// Reads a request's filters. A name that is neither in `known` nor about tags is refused.
    pub(crate) fn read_all(form: &mut Form, known: &[&str]) -> Result<Vec<Filter>, ServiceError> {
        let mut filters = Vec::new();
        for mut structure in form.structures("Filter") {
            let filter = Filter { name: structure.required("Name")?, values: structure.list("Value") };
            structure.finish()?;
            if !(known.contains(&filter.name.as_str()) || filter.name == "tag-key" || filter.name.starts_with("tag:")) {
                return Err(unsupported(format_args!("the filter {}", filter.name)));
            }
            filters.push(filter);
        }
        Ok(filters)
    }

    pub(crate) fn admits(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| fits(pattern.as_bytes(), value.as_bytes()))
    }

    /// Whether a resource with these tags passes a tag filter (`tag:KEY` or `tag-key`).
    pub(crate) fn admits_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        match self.name.strip_prefix("tag:") {
            Some(key) => tags.get(key).is_some_and(|value| self.admits(value)),
            None => tags.keys().any(|key| self.admits(key)),
        }
    }
}

/// Whether a value matches a pattern. `*` matches any text, `?` any one character, and a backslash makes the next
/// character literal.
fn fits(pattern: &[u8], value: &[u8]) -> bool {
    match (pattern, value) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => fits(rest, value) || (!value.is_empty() && fits(pattern, &value[1..])),
        ([b'?', pattern @ ..], [_, value @ ..]) => fits(pattern, value),
        ([b'\\', literal, pattern @ ..], [first, value @ ..]) => literal == first && fits(pattern, value),
        ([literal, pattern @ ..], [first, value @ ..]) => literal == first && fits(pattern, value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_wildcards() {
        let check = |pattern: &str, value: &str| fits(pattern.as_bytes(), value.as_bytes());
        assert!(check("appwrite", "appwrite"));
        assert!(!check("appwrite", "appwrite-2"));
        assert!(check("app*-?", "appwrite-2"));
        assert!(!check("app*-?", "appwrite"));
        assert!(check("a\\*", "a*"));
        assert!(!check("a\\*", "ab"));
    }

    #[test]
    fn a_tag_filter_matches_one_tag_and_tag_key_matches_all_keys() {
        let tags = BTreeMap::from([("fleet".to_owned(), "a".to_owned())]);
        let filter = |name: &str, value: &str| Filter { name: name.to_owned(), values: vec![value.to_owned()] };
        assert!(filter("tag:fleet", "a").admits_tags(&tags));
        assert!(!filter("tag:fleet", "b").admits_tags(&tags));
        assert!(!filter("tag:other", "a").admits_tags(&tags));
        assert!(filter("tag-key", "fleet").admits_tags(&tags));
        assert!(!filter("tag-key", "a").admits_tags(&tags));
    }
}
