//! Functions on arrays.

use serde_json::Value;

use super::{array_argument, integer_argument};

/// How many items `States.ArrayRange` makes at most.
const RANGE_ITEMS_MAX: i128 = 1000;

pub(super) fn contains(array: &Value, wanted: &Value) -> Result<Value, String> {
    Ok(Value::Bool(array_argument(array)?.iter().any(|item| same(item, wanted))))
}

pub(super) fn get_item(array: &Value, index: &Value) -> Result<Value, String> {
    let items = array_argument(array)?;
    let index = integer_argument(index)?;
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index).cloned())
        .ok_or_else(|| format!("The index {index} is out of bounds for an array of length {}", items.len()))
}

pub(super) fn length(array: &Value) -> Result<Value, String> {
    array_argument(array).map(|items| Value::from(items.len()))
}

pub(super) fn partition(array: &Value, size: &Value) -> Result<Value, String> {
    let items = array_argument(array)?;
    let size = integer_argument(size)?;
    match usize::try_from(size) {
        Ok(size) if size > 0 => Ok(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect()),
        _ => Err(format!("The chunk size must be a positive integer but is {size}")),
    }
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Result<Value, String> {
    let (first, last, step) = (integer_argument(first)?, integer_argument(last)?, integer_argument(step)?);
    if step == 0 {
        return Err("The step must not be 0".to_owned());
    }
    let (first, last, step) = (i128::from(first), i128::from(last), i128::from(step));
    let items = ((last - first) / step + 1).max(0);
    if (last - first).signum() * step.signum() < 0 {
        return Ok(Value::Array(Vec::new()));
    }
    if items > RANGE_ITEMS_MAX {
        return Err(format!("The range has {items} items, which is more than {RANGE_ITEMS_MAX}"));
    }
    (0..items)
        .map(|nth| i64::try_from(first + nth * step).map(Value::from))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

pub(super) fn unique(array: &Value) -> Result<Value, String> {
    let mut kept: Vec<Value> = Vec::new();
    for item in array_argument(array)? {
        if !kept.iter().any(|other| same(other, item)) {
            kept.push(item.clone());
        }
    }
    Ok(Value::Array(kept))
}

/// Equality in which 1 and 1.0 are the same number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}
