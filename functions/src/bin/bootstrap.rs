//! The Lambda bootstrap, one for all functions: `Handler` names the step, `TABLE` the ledger.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
async fn main() -> Result<(), Error> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"));
    functions::lambda::serve(&setting("_HANDLER")?, &setting("TABLE")?).await
}
