//! The Lambda bootstrap of all functions: `Handler` names the step.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "only main reads the environment")]
async fn main() -> Result<(), Error> {
    functions::lambda::serve(|name| std::env::var(name).ok()).await
}
