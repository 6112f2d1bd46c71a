//! Intrinsic functions on numbers. `None` means that the arguments are invalid.

use serde_json::Value;

use super::truncated;
use crate::java;
use crate::random::Random;

/// Rounds both numbers, halves up: -1.5 becomes -1. The rounded numbers and their sum must fit in 32 bits.
pub(super) fn add(one: &Value, other: &Value) -> Option<Value> {
    rounded(one)?.checked_add(rounded(other)?).map(Value::from)
}

fn rounded(value: &Value) -> Option<i32> {
    let nearest = |number: f64| if number - number.floor() < 0.5 { number.floor() } else { number.ceil() };
    let integer = value.as_i64().or_else(|| in_range(nearest(value.as_f64()?)))?;
    i32::try_from(integer).ok()
}

/// A number of at least `start` and less than `end`. With a seed, it is the number that Java's generator gives for that
/// seed, and the range must fit in 31 bits.
pub(super) fn random(start: &Value, end: &Value, seed: Option<&Value>, generator: &Random) -> Option<Value> {
    let (start, end) = (truncated(start)?, truncated(end)?);
    let width = end.checked_sub(start).filter(|width| *width > 0)?;
    Some(Value::from(match seed {
        Some(seed) => start + i64::from(java::random_below(i32::try_from(width).ok()?, truncated(seed)?)),
        None => generator.between(start, end),
    }))
}

/// A whole number as an integer, if its absolute value is less than 9.2e18. An i64 holds all of those.
pub(super) fn in_range(whole: f64) -> Option<i64> {
    (whole.abs() < 9.2e18).then_some(whole as i64)
}
