//! Lambda in this process: performs a definition's `lambda:invoke` tasks with the very steps that are deployed.

use asl::{Failure, Resources, Task};
use functions::{Aws, Step};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a step's Lambda function is called: this and the step's name.
pub(crate) const PREFIX: &str = "fleetwright-";
const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const INVOKE_AND_WAIT: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";

/// The steps' functions, each with clients of its own, as each has a role of its own.
pub struct Functions<'a> {
    connect: Box<dyn Fn(&str) -> Aws + 'a>,
    connected: RefCell<BTreeMap<String, Aws>>,
    latency: Box<dyn Fn() -> LocalBoxFuture<'a, ()> + 'a>,
    approves_after: Duration,
}

impl<'a> Functions<'a> {
    /// Functions whose clients `connect` makes, given the step's name. A task that waits for a person's approval is
    /// answered with yes after `approves_after`.
    pub fn new(connect: impl Fn(&str) -> Aws + 'a, approves_after: Duration) -> Self {
        Self {
            connect: Box::new(connect),
            connected: RefCell::default(),
            latency: Box::new(|| Box::pin(std::future::ready(()))),
            approves_after,
        }
    }

    /// The same, each invocation preceded by what Lambda itself takes.
    pub fn with_latency(mut self, latency: impl Fn() -> LocalBoxFuture<'a, ()> + 'a) -> Self {
        self.latency = Box::new(latency);
        self
    }

    async fn perform(&self, mut task: Task) -> Result<Value, Failure> {
        let step = invoked(&task)?;
        (self.latency)().await;
        let aws = self.clients(step.name);
        let answer = invoke(step, &aws, task.input["Payload"].take()).await?;
        if task.resource != INVOKE_AND_WAIT {
            return Ok(answer);
        }
        tokio::time::sleep(self.approves_after).await;
        Ok(json!({}))
    }

    /// The clients that a step's function has.
    pub fn clients(&self, step: &str) -> Aws {
        let mut connected = self.connected.borrow_mut();
        connected.entry(step.to_owned()).or_insert_with(|| (self.connect)(step)).clone()
    }
}

impl Resources for Functions<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(self.perform(task))
    }
}

/// The step whose function a task invokes.
///
/// # Errors
/// A fatal one, if it is none.
pub fn invoked(task: &Task) -> Result<&'static Step, Failure> {
    if ![INVOKE, INVOKE_AND_WAIT].contains(&task.resource.as_str()) {
        return Err(fatal(format!("state '{}' calls {}, which is not imitated here", task.state, task.resource)));
    }
    let name = task.input["FunctionName"].as_str().unwrap_or_default();
    let step = name.strip_prefix(PREFIX).and_then(Step::named);
    step.ok_or_else(|| fatal(format!("state '{}' calls '{name}', which is no step's function", task.state)))
}

/// Invokes a step's function once, with these clients.
///
/// # Errors
/// The step's named error, as lambda_runtime words it.
pub async fn invoke(step: &Step, aws: &Aws, payload: Value) -> Result<Value, Failure> {
    match step.invoke(aws, payload).await {
        Ok(output) => Ok(json!({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": output})),
        Err(error) => Err(Failure {
            error: error.name().to_owned(),
            cause: json!({"errorType": error.name(), "errorMessage": error.to_string()}).to_string(),
        }),
    }
}

fn fatal(cause: String) -> Failure {
    Failure { error: "States.Runtime".to_owned(), cause }
}
