//! Settings that stand in the definition, or that a path in it leads to.

use std::time::Duration;

use serde_json::Value;

use crate::context::Environment;
use crate::definition::Setting;
use crate::fault::Fault;
use crate::path::{Miss, Path, Root};
use crate::template;

/// What a path that stands for a setting leads to.
pub(super) fn lookup(path: &Path, field: &str, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
    match template::find(path, data, environment) {
        Ok(value) => Ok(value.into_owned()),
        Err(miss) => Err(template::not_found(path, miss, field, data, environment)),
    }
}

/// The same where the service has words of its own for one that leads nowhere.
pub(super) fn parameter(path: &Path, field: &str, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
    match template::find(path, data, environment) {
        Ok(value) => Ok(value.into_owned()),
        Err(Miss::Last { .. } | Miss::Before(_)) if !matches!(path.root, Root::Variable(_)) => {
            Err(Fault::runtime(format!("The {field} parameter does not reference an input value: {}", path.text)))
        }
        Err(miss) => Err(template::not_found(path, miss, field, data, environment)),
    }
}

pub(super) fn count(
    setting: &Option<Setting<u64>>,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<u64>, Fault> {
    match setting {
        None => Ok(None),
        Some(Setting::Fixed(number)) => Ok(Some(*number)),
        Some(Setting::Path(path)) => {
            let value = lookup(path, field, data, environment)?;
            let complaint = match (value.as_u64(), value.as_i64()) {
                (Some(number), _) => return Ok(Some(number)),
                (None, Some(negative)) => below_zero(field, negative),
                (None, None) => not_a("integer", path, field, &value),
            };
            Err(Fault::runtime(complaint))
        }
    }
}

pub(super) fn percentage(
    setting: &Option<Setting<f64>>,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<f64>, Fault> {
    match setting {
        None => Ok(None),
        Some(Setting::Fixed(number)) => Ok(Some(*number)),
        Some(Setting::Path(path)) => {
            let field = "ToleratedFailurePercentagePath";
            let value = lookup(path, field, data, environment)?;
            match value.as_f64() {
                Some(number) if (0.0..=100.0).contains(&number) => Ok(Some(number)),
                Some(_) => Err(Fault::runtime("ToleratedFailurePercentage must be between 0 and 100.")),
                None => Err(Fault::runtime(not_a("float", path, field, &value))),
            }
        }
    }
}

pub(super) fn seconds(
    setting: &Option<Setting<u64>>,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<Duration>, Fault> {
    let seconds = match setting {
        None => return Ok(None),
        Some(Setting::Fixed(seconds)) => *seconds,
        Some(Setting::Path(path)) => {
            let value = parameter(path, field, data, environment)?;
            value.as_u64().filter(|seconds| *seconds > 0).ok_or_else(|| {
                Fault::runtime(format!(
                    "The {field} parameter does not reference a positive integer: {} == {}",
                    path.text,
                    bare(&value)
                ))
            })?
        }
    };
    Ok(Some(Duration::from_secs(seconds)))
}

/// A text without quotes, anything else as JSON.
pub(super) fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn not_a(kind: &str, path: &Path, field: &str, value: &Value) -> String {
    format!("The {field} field refers to value \"{}\" which is not a valid {kind}: {}", bare(value), path.text)
}

fn below_zero(field: &str, number: i64) -> String {
    match field.strip_suffix("Path") {
        Some(field @ "MaxConcurrency") => {
            format!("Expected non-negative integer for {field}, got '{number}' instead.")
        }
        other => format!("{} cannot be negative.", other.unwrap_or(field)),
    }
}
