//! A step as a Lambda function: events in, results or named errors out, a log line and metrics for each invocation.

mod log;
mod metrics;

use crate::{Aws, Step, StepError};
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use fleet::{StackScope, StateContext};
use futures_util::FutureExt;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tracing::Instrument;
use tracing_subscriber::filter::LevelFilter;

/// The time-out of one call to AWS, well within the function's time-out of 60 s.
const CALL: Duration = Duration::from_secs(20);
/// The time-out of a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Serves a step until Lambda ends the process. The environment variable `_HANDLER` names the step, `TABLE` the ledger, and
/// `FLEETS` and `TARGET_GROUPS` what the stack may change. An unknown step answers every event with `Refused`.
///
/// # Errors
/// A missing environment variable, and a failure of Lambda's runtime interface.
pub async fn serve(environment: fn(&str) -> Option<String>) -> Result<(), Error> {
    let setting = |name: &str| environment(name).ok_or_else(|| format!("the environment variable {name} is not set"));
    let level = environment("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok());
    log::start(level.unwrap_or(LevelFilter::INFO));
    let (handler, table) = (&setting("_HANDLER")?, setting("TABLE")?);
    let scope = StackScope::new(&setting("FLEETS")?, &setting("TARGET_GROUPS")?);
    let aws = Aws::new(&sdk_config(environment), &table).within(scope);
    let aws = &aws;
    // Boxed, because the nested types of the SDK and the runtime exceed a limit of the compiler.
    lambda_runtime::run(service_fn(move |event| Box::pin(answer(aws, handler, event)))).await
}

/// The SDK's configuration from the environment that Lambda sets, and from nothing else. Without the search for profiles,
/// logins and metadata services, a function is smaller and starts sooner.
fn sdk_config(environment: fn(&str) -> Option<String>) -> SdkConfig {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(CALL).build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(aws_smithy_http_client::Builder::new().tls_provider(tls).build_https())
        .region(environment("AWS_REGION").map(Region::new))
        .service_config(Endpoints(environment))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(timeouts);
    config.set_endpoint_url(environment("AWS_ENDPOINT_URL"));
    config.build()
}

/// Endpoints from `AWS_ENDPOINT_URL_SERVICE`, as every SDK reads them.
#[derive(Debug)]
struct Endpoints(fn(&str) -> Option<String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        (self.0)(&format!("{}_{service}", key.env()))
    }
}

async fn answer(aws: &Aws, handler: &str, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let request = event.context.request_id;
    let span = log::invocation(handler, &request, &event.payload);
    let attempts = StateContext::deserialize(&event.payload["state"]).map_or(1, |state| state.retry_count + 1);
    let began = aws.now();
    let answer = perform(aws, handler, event.payload).instrument(span.clone()).await;
    let took = aws.now().duration_since(began);
    span.in_scope(|| log::outcome(&answer));
    let outcome = answer.as_ref().map_or_else(StepError::name, |_| "Done");
    metrics::emit(&metrics::Invocation { step: handler, outcome, took, attempts, at: began });
    answer.map_err(|error| Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() })
}

/// The step's result. A panic is a defect; it becomes a named error, so that the run rolls back.
async fn perform(aws: &Aws, handler: &str, input: Value) -> Result<Value, StepError> {
    let Some(step) = Step::named(handler) else {
        return Err(StepError::Refused(format!("this function's Handler '{handler}' is not a step")));
    };
    unpanicked(step.invoke(aws, input)).await
}

async fn unpanicked(step: impl Future<Output = Result<Value, StepError>>) -> Result<Value, StepError> {
    let answer = AssertUnwindSafe(step).catch_unwind().await;
    answer.unwrap_or_else(|panic| Err(StepError::Failed(format!("the step panicked: {}", text(panic.as_ref())))))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_named_error() {
        let answer = unpanicked(async { panic!("at the {}", "disco") }).await;
        assert_eq!(answer, Err(StepError::Failed("the step panicked: at the disco".to_owned())));
    }
}
