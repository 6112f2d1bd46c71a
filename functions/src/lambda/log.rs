//! The log: one JSON object a line. It never has the input of a step, which may hold the task token of an approval.

use crate::StepError;
use serde_json::Value;
use tracing::{Span, error, info, info_span, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard output, where Lambda reads it. Only this crate's lines are logged, since the SDK's lines may
/// hold the content of requests.
pub(super) fn start(level: LevelFilter) {
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    let own = Targets::new().with_target("functions", level);
    // If a subscriber is set already, it stays.
    let _ = tracing_subscriber::registry().with(json.with_filter(own)).try_init();
}

/// The fields of every log line of an invocation.
pub(super) fn invocation(step: &str, request: &str, input: &Value) -> Span {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let run = &input["run"];
    // `begin` gets the run's id alone, and the fleet's name in the request.
    let fleet =
        [&run["fleet"], &input["request"]["fleet"], &input["fleet"]].into_iter().find(|fleet| fleet.is_string());
    info_span!(
        "invocation",
        step,
        request,
        run = if run.is_string() { text(run) } else { text(&run["id"]) },
        fleet = fleet.map(text).unwrap_or_default(),
        state = text(&input["state"]["Name"]),
    )
}

/// Logs the result of an invocation.
pub(super) fn outcome(answer: &Result<Value, StepError>) {
    match answer {
        Ok(_) => info!(outcome = "Done"),
        Err(StepError::NotYet(what)) => info!(outcome = "NotYet", what),
        Err(failure @ StepError::Failed(what)) => error!(outcome = failure.name(), what),
        Err(other) => warn!(outcome = other.name(), what = other.to_string()),
    }
}
