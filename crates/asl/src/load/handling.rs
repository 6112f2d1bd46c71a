//! `Retry`, `Catch`, `ResultSelector` and `ResultPath`.

use serde_json::Value;

use super::Loader;
use super::fields::Fields;
use super::machine::Targets;
use super::states::{SECONDS_MAX, variables};
use crate::definition::Handling;
use crate::error::names;
use crate::retry::{Catcher, Retrier};

/// The maximum of `MaxDelaySeconds`: a leap year.
const DELAY_SECONDS_MAX: u64 = 31_622_400;

impl Loader {
    pub(super) fn handling(&self, fields: &mut Fields<'_>, targets: &Targets<'_>) -> Handling {
        Handling {
            result_selector: fields.object_template("ResultSelector"),
            result_path: fields.result_path(),
            retry: self.entries(fields, "Retry", retrier),
            catch: self.entries(fields, "Catch", |fields, errors| catcher(fields, errors, targets)),
        }
    }

    /// The entries of `Retry` or `Catch`. `load` gets the fields of an entry and its error names.
    fn entries<T>(
        &self,
        fields: &mut Fields<'_>,
        key: &'static str,
        load: impl Fn(&mut Fields<'_>, Vec<String>) -> Option<T>,
    ) -> Vec<T> {
        let place = fields.place_of(key);
        let list = match fields.get(key) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                fields.defect(key, "Expected value of type Array");
                return Vec::new();
            }
        };
        let mut entries = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let Some(mut fields) = Fields::of(self, entry, format!("{place}[{index}]")) else { continue };
            let errors = errors(&mut fields, index + 1 == list.len());
            entries.extend(load(&mut fields, errors));
            fields.finish();
        }
        entries
    }
}

fn errors(fields: &mut Fields<'_>, is_last: bool) -> Vec<String> {
    if !fields.has("ErrorEquals") {
        fields.defect_here("These fields are required: [ErrorEquals]");
    }
    let list = fields.list("ErrorEquals").map(Vec::as_slice).unwrap_or_default();
    let errors: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if errors.len() < list.len() {
        fields.defect("ErrorEquals", "Expected values of type String");
    }
    if let Some(index) = list.iter().position(|name| name == names::ALL)
        && (list.len() > 1 || !is_last)
    {
        let reason = format!("{} must appear alone and at end of list", names::ALL);
        fields.defect_of_item("ErrorEquals", index, reason);
    }
    errors
}

fn retrier(fields: &mut Fields<'_>, errors: Vec<String>) -> Option<Retrier> {
    let interval_seconds = fields.integer("IntervalSeconds", 0..=SECONDS_MAX).unwrap_or(1);
    let max_delay_seconds = fields.integer("MaxDelaySeconds", 1..=DELAY_SECONDS_MAX);
    if max_delay_seconds.is_some_and(|max| max <= interval_seconds) {
        fields.defect("MaxDelaySeconds", "MaxDelaySeconds must be greater than IntervalSeconds");
    }
    let jitter = fields.choice_of("JitterStrategy", &["NONE", "FULL"]);
    let attempts = fields.integer("MaxAttempts", 0..=SECONDS_MAX).unwrap_or(3);
    Some(Retrier {
        errors,
        interval_seconds,
        backoff_rate: fields.number("BackoffRate", 1.0..=f64::INFINITY).unwrap_or(2.0),
        max_attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        max_delay_seconds,
        full_jitter: jitter == Some("FULL"),
    })
}

fn catcher(fields: &mut Fields<'_>, errors: Vec<String>, targets: &Targets<'_>) -> Option<Catcher> {
    let result_path = fields.result_path();
    let assign = variables(fields);
    if !fields.has("Next") {
        fields.defect_here("These fields are required: [Next]");
    }
    Some(Catcher { errors, result_path, assign, next: targets.find(fields, "Next")? })
}
