//! Functions on numbers.

use serde_json::Value;

use super::integer_argument;
use crate::random::Random;

/// The service adds 32-bit integers.
const ADD_RANGE: std::ops::RangeInclusive<i64> = -2_147_483_648..=2_147_483_647;

pub(super) fn add(one: &Value, other: &Value) -> Result<Value, String> {
    let (one, other) = (integer_argument(one)?, integer_argument(other)?);
    match one.checked_add(other) {
        Some(sum) if ADD_RANGE.contains(&sum) => Ok(Value::from(sum)),
        _ => Err(format!("The sum of {one} and {other} is not a 32-bit integer")),
    }
}

/// At least `start`, less than `end`. With a seed, the same number each time.
pub(super) fn random(start: &Value, end: &Value, seed: Option<&Value>, chance: &Random) -> Result<Value, String> {
    let (start, end) = (integer_argument(start)?, integer_argument(end)?);
    if start >= end {
        return Err(format!("The start {start} must be less than the end {end}"));
    }
    Ok(Value::from(match seed {
        Some(seed) => Random::from_seed(integer_argument(seed)? as u64).between(start, end),
        None => chance.between(start, end),
    }))
}
