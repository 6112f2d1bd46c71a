//! Settings that stand in the definition, or that a path in it leads to.

use std::time::Duration;

use serde_json::Value;

use crate::context::Environment;
use crate::definition::Setting;
use crate::fault::Fault;
use crate::path::Path;
use crate::template;

/// What a path that stands for a setting leads to.
pub(super) fn lookup(path: &Path, field: &str, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
    match template::find(path, data, environment) {
        Ok(value) => Ok(value.into_owned()),
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
            let complaint = || {
                let text = &path.text;
                Fault::runtime(format!(
                    "The {field} field refers to value \"{value}\" which is not a valid integer: {text}"
                ))
            };
            value.as_u64().map(Some).ok_or_else(complaint)
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
            let value = lookup(path, "ToleratedFailurePercentagePath", data, environment)?;
            let complaint = || {
                Fault::runtime(format!(
                    "The ToleratedFailurePercentagePath field refers to value \"{value}\" which is not a valid float: {}",
                    path.text
                ))
            };
            value.as_f64().filter(|number| (0.0..=100.0).contains(number)).map(Some).ok_or_else(complaint)
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
            let value = lookup(path, field, data, environment)?;
            value.as_u64().filter(|seconds| *seconds > 0).ok_or_else(|| {
                Fault::runtime(format!(
                    "The {field} parameter does not reference a positive integer: {} == {value}",
                    path.text
                ))
            })?
        }
    };
    Ok(Some(Duration::from_secs(seconds)))
}
