//! The Lambda bootstrap, one for all functions: `Handler` names the step, `TABLE` the ledger, `FLEETS` and `TARGET_GROUPS`
//! what the stack may touch, and the function's logging configuration the level of the log.

use fleet::Reach;
use lambda_runtime::Error;
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
async fn main() -> Result<(), Error> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"));
    let level = setting("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let reach = Reach::new(&setting("FLEETS")?, &setting("TARGET_GROUPS")?);
    functions::lambda::serve(&setting("_HANDLER")?, &setting("TABLE")?, reach, level.unwrap_or(LevelFilter::INFO)).await
}
