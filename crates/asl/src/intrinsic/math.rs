//! Functions on numbers. `None` is what the service calls invalid arguments.

use serde_json::Value;

use super::truncated;
use crate::java;
use crate::random::Random;

/// Both numbers are rounded, halves up: -1.5 is -1. They and their sum have 32 bits.
pub(super) fn add(one: &Value, other: &Value) -> Option<Value> {
    rounded(one)?.checked_add(rounded(other)?).map(Value::from)
}

fn rounded(value: &Value) -> Option<i32> {
    let nearest = |number: f64| if number - number.floor() < 0.5 { number.floor() } else { number.ceil() };
    let integer = value.as_i64().or_else(|| in_range(nearest(value.as_f64()?)))?;
    i32::try_from(integer).ok()
}

/// At least `start`, less than `end`. With a seed, the same number each time, which is Java's and of 31 bits at most.
pub(super) fn random(start: &Value, end: &Value, seed: Option<&Value>, chance: &Random) -> Option<Value> {
    let (start, end) = (truncated(start)?, truncated(end)?);
    let width = end.checked_sub(start).filter(|width| *width > 0)?;
    Some(Value::from(match seed {
        Some(seed) => start + i64::from(java::random_below(i32::try_from(width).ok()?, truncated(seed)?)),
        None => chance.between(start, end),
    }))
}

/// A whole number as an integer, if it is less than 9.2e18, which an i64 holds.
pub(super) fn in_range(whole: f64) -> Option<i64> {
    (whole.abs() < 9.2e18).then_some(whole as i64)
}
