//! Computes settings: a setting is a value in the definition, or the path of a value.

use std::time::Duration;

use serde_json::Value;

use crate::context::Environment;
use crate::definition::Setting;
use crate::error::EngineError;
use crate::path::{Miss, Path, Root};
use crate::template;

/// The value at the path of a setting.
pub(super) fn lookup(
    path: &Path,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Value, EngineError> {
    match template::find(path, data, environment) {
        Ok(value) => Ok(value.into_owned()),
        Err(miss) => Err(template::not_found(path, miss, field, data, environment)),
    }
}

/// Like [`lookup`], for the fields that have their own error text for a path that finds no value.
pub(super) fn parameter(
    path: &Path,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Value, EngineError> {
    match template::find(path, data, environment) {
        Ok(value) => Ok(value.into_owned()),
        Err(Miss::Last { .. } | Miss::Before(_)) if !matches!(path.root, Root::Variable(_)) => {
            Err(EngineError::runtime(format!("The {field} parameter does not reference an input value: {}", path.text)))
        }
        Err(miss) => Err(template::not_found(path, miss, field, data, environment)),
    }
}

pub(super) fn count(
    setting: &Option<Setting<u64>>,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<u64>, EngineError> {
    match setting {
        None => Ok(None),
        Some(Setting::Fixed(number)) => Ok(Some(*number)),
        Some(Setting::Path(path)) => {
            let value = lookup(path, field, data, environment)?;
            let problem = match (value.as_u64(), value.as_i64()) {
                (Some(number), _) => return Ok(Some(number)),
                (None, Some(number)) => negative(field, number),
                (None, None) => not_a("integer", path, field, &value),
            };
            Err(EngineError::runtime(problem))
        }
    }
}

pub(super) fn percentage(
    setting: &Option<Setting<f64>>,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<f64>, EngineError> {
    match setting {
        None => Ok(None),
        Some(Setting::Fixed(number)) => Ok(Some(*number)),
        Some(Setting::Path(path)) => {
            let field = "ToleratedFailurePercentagePath";
            let value = lookup(path, field, data, environment)?;
            match value.as_f64() {
                Some(number) if (0.0..=100.0).contains(&number) => Ok(Some(number)),
                Some(_) => Err(EngineError::runtime("ToleratedFailurePercentage must be between 0 and 100.")),
                None => Err(EngineError::runtime(not_a("float", path, field, &value))),
            }
        }
    }
}

pub(super) fn seconds(
    setting: &Option<Setting<u64>>,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> Result<Option<Duration>, EngineError> {
    let seconds = match setting {
        None => return Ok(None),
        Some(Setting::Fixed(seconds)) => *seconds,
        Some(Setting::Path(path)) => {
            let value = parameter(path, field, data, environment)?;
            value.as_u64().filter(|seconds| *seconds > 0).ok_or_else(|| {
                EngineError::runtime(format!(
                    "The {field} parameter does not reference a positive integer: {} == {}",
                    path.text,
                    unquoted(&value)
                ))
            })?
        }
    };
    Ok(Some(Duration::from_secs(seconds)))
}

/// A string without quotes, or any other value as JSON.
pub(super) fn unquoted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn not_a(kind: &str, path: &Path, field: &str, value: &Value) -> String {
    format!("The {field} field refers to value \"{}\" which is not a valid {kind}: {}", unquoted(value), path.text)
}

fn negative(field: &str, number: i64) -> String {
    match field.strip_suffix("Path") {
        Some(field @ "MaxConcurrency") => {
            format!("Expected non-negative integer for {field}, got '{number}' instead.")
        }
        other => format!("{} cannot be negative.", other.unwrap_or(field)),
    }
}
