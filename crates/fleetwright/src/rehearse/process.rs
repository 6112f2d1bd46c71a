//! Lambda as faults find it: each invocation a process in the place of its state, which can die or be invoked twice, and
//! be forgotten by an execution that stops for good.

use asl::{Failure, Resources, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::process::Lost;
use std::future::pending;
use tokio::sync::Notify;

/// The functions of one execution, each invocation of which is a process of the simulated world.
pub struct Processes<'a> {
    functions: Box<dyn Resources + 'a>,
    simulator: &'a Simulator,
    forgotten: Notify,
}

impl<'a> Processes<'a> {
    /// These functions, in this world.
    pub fn new(functions: Box<dyn Resources + 'a>, simulator: &'a Simulator) -> Self {
        Self { functions, simulator, forgotten: Notify::new() }
    }

    /// Comes back when a fault has ended the execution.
    pub async fn forgotten(&self) {
        self.forgotten.notified().await;
    }
}

impl Resources for Processes<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let place = place(&task.state);
            let invoke = || self.functions.call(task.clone());
            match self.simulator.process(&place, &invoke).await {
                Ok(answer) => answer,
                Err(Lost::Crashed) => Err(exited()),
                Err(Lost::Forgotten) => {
                    self.forgotten.notify_one();
                    pending().await
                }
            }
        })
    }
}

/// A state's name as `--fault` writes it: `Create the builder` is `create-the-builder`.
pub fn place(state: &str) -> String {
    let words = state.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// As Lambda says that a process died. <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>
fn exited() -> Failure {
    let text = "RequestId: 00000000-0000-4000-8000-000000000000 Error: Runtime exited with error: exit status 101";
    let error = "Runtime.ExitError";
    Failure { error: error.to_owned(), cause: json!({"errorType": error, "errorMessage": text}).to_string() }
}
