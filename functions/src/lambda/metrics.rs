//! Metrics in CloudWatch's embedded metric format: CloudWatch reads them from a line of the log, without an API call.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::io::Write;

/// The metrics of one invocation.
pub(super) struct Invocation<'a> {
    pub(super) step: &'a str,
    /// `Done`, or the error's name.
    pub(super) outcome: &'a str,
    pub(super) took: SignedDuration,
    /// The number of attempts of the state so far, with this one.
    pub(super) attempts: u32,
    pub(super) at: Timestamp,
}

/// Writes the line to standard output. A failed write does not fail the step.
pub(super) fn emit(invocation: &Invocation<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", line(invocation));
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn line(invocation: &Invocation<'_>) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": invocation.at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": "Fleetwright",
                "Dimensions": [["Step", "Outcome"]],
                "Metrics": [
                    {"Name": "Duration", "Unit": "Milliseconds"},
                    {"Name": "Attempts", "Unit": "Count"},
                ],
            }],
        },
        "Step": invocation.step,
        "Outcome": invocation.outcome,
        "Duration": invocation.took.as_millis_f64(),
        "Attempts": invocation.attempts,
    })
}
