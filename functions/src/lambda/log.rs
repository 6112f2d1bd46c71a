//! The log: one JSON object a line. What is given to a step is not logged, since an approval's token is in it.

use crate::StepError;
use serde_json::Value;
use tracing::{Span, error, info, info_span, warn};
use tracing_subscriber::EnvFilter;

/// Starts logging to standard output, which is where Lambda takes it from. `AWS_LAMBDA_LOG_LEVEL`, set by the function's
/// logging configuration, says how much.
pub(super) fn start() {
    let level =
        EnvFilter::builder().with_env_var("AWS_LAMBDA_LOG_LEVEL").with_default_directive(default()).from_env_lossy();
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false).with_env_filter(level);
    // A subscriber that is set already serves as well.
    let _ = log.try_init();
}

fn default() -> tracing_subscriber::filter::Directive {
    tracing_subscriber::filter::LevelFilter::INFO.into()
}

/// What every line of an invocation says of it.
pub(super) fn invocation(step: &str, request: &str, input: &Value) -> Span {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let run = &input["run"];
    // `begin` gets the run's name alone, and the fleet's with the request.
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

/// How an invocation ended.
pub(super) fn outcome(answer: &Result<Value, StepError>) {
    match answer {
        Ok(_) => info!(outcome = "Done"),
        Err(StepError::NotYet(what)) => info!(outcome = "NotYet", what),
        Err(failure @ StepError::Failed(what)) => error!(outcome = failure.name(), what),
        Err(other) => warn!(outcome = other.name(), what = other.to_string()),
    }
}
