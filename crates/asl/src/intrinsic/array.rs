//! Intrinsic functions on arrays. `None` means that the arguments are invalid.

use std::collections::BTreeMap;

use serde_json::Value;

use super::truncated;
use crate::java;

/// The maximum number of items that `States.ArrayRange` makes.
const RANGE_ITEMS_MAX: i128 = 1000;

/// Compares the items with `value` as strings, as the service does: the string `true` equals the boolean.
pub(super) fn contains(array: &Value, value: &Value) -> Option<Value> {
    let value = java::to_string(value);
    Some(Value::Bool(array.as_array()?.iter().any(|item| java::to_string(item) == value)))
}

/// Any index into an empty array gives null, as in the service.
pub(super) fn get_item(array: &Value, index: &Value) -> Option<Value> {
    let items = array.as_array()?;
    let index = usize::try_from(truncated(index)?).ok()?;
    if items.is_empty() {
        return Some(Value::Null);
    }
    items.get(index).cloned()
}

pub(super) fn length(array: &Value) -> Option<Value> {
    array.as_array().map(|items| Value::from(items.len()))
}

pub(super) fn partition(array: &Value, size: &Value) -> Option<Value> {
    let items = array.as_array()?;
    let size = usize::try_from(truncated(size)?).ok().filter(|size| *size > 0)?;
    Some(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect())
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Option<Value> {
    let [first, last, step] = [truncated(first)?, truncated(last)?, truncated(step)?].map(i128::from);
    if step == 0 {
        return None;
    }
    if (last - first).signum() * step.signum() < 0 {
        return Some(Value::Array(Vec::new()));
    }
    let items = (last - first) / step + 1;
    if items > RANGE_ITEMS_MAX {
        return None;
    }
    (0..items).map(|index| i64::try_from(first + index * step).map(Value::from).ok()).collect()
}

/// The items have the order that a Java `HashSet` gives them.
pub(super) fn unique(array: &Value) -> Option<Value> {
    let (mut unique, mut by_hash) = (Vec::new(), BTreeMap::<i32, Vec<&Value>>::new());
    for item in array.as_array()? {
        let same_hash = by_hash.entry(java::hash(item)).or_default();
        if !same_hash.contains(&item) {
            same_hash.push(item);
            unique.push(item);
        }
    }
    java::sort_in_hash_order(&mut unique, java::INITIAL_BUCKETS, |item| java::hash(item));
    Some(unique.into_iter().cloned().collect())
}
