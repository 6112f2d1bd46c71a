//! Lambda in this process: performs the `lambda:invoke` tasks of a definition with the same steps that are deployed.

use asl::{Failure, Resources, Task};
use functions::{Aws, Step};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// The start of the name of a step's Lambda function; the step's name follows.
pub(crate) const PREFIX: &str = "fleetwright-";
const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const INVOKE_AND_WAIT: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";

/// The Lambda functions of the steps. Each has its own clients, because each has its own role.
pub struct Functions<'a> {
    connect: Box<dyn Fn(&str) -> Aws + 'a>,
    connected: RefCell<BTreeMap<String, Aws>>,
    latency: Box<dyn Fn() -> LocalBoxFuture<'a, ()> + 'a>,
    approves_after: Duration,
}

impl<'a> Functions<'a> {
    /// Functions whose clients `connect` makes from the step's name. A task that waits for an approval is approved after
    /// `approves_after`.
    pub fn new(connect: impl Fn(&str) -> Aws + 'a, approves_after: Duration) -> Self {
        Self {
            connect: Box::new(connect),
            connected: RefCell::default(),
            latency: Box::new(|| Box::pin(std::future::ready(()))),
            approves_after,
        }
    }

    /// The same functions, which wait for `latency` before each invocation, as Lambda's own overhead.
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

    /// The clients of a step's function.
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
/// `States.Runtime`, which no state machine retries, if the task invokes no step's function.
pub fn invoked(task: &Task) -> Result<&'static Step, Failure> {
    if ![INVOKE, INVOKE_AND_WAIT].contains(&task.resource.as_str()) {
        return Err(fatal(format!(
            "state '{}' calls {}, which this process does not imitate",
            task.state, task.resource
        )));
    }
    let name = task.input["FunctionName"].as_str().unwrap_or_default();
    let step = name.strip_prefix(PREFIX).and_then(Step::named);
    step.ok_or_else(|| fatal(format!("state '{}' calls '{name}', which is not a step's function", task.state)))
}

/// Invokes a step's function once, with these clients.
///
/// # Errors
/// The step's named error, in the form that lambda_runtime gives it.
pub async fn invoke(step: &Step, aws: &Aws, payload: Value) -> Result<Value, Failure> {
    match step.invoke(aws, payload).await {
        Ok(output) => Ok(json!({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": output})),
        Err(error) => Err(Failure {
            error: error.name().to_owned(),
            cause: json!({"errorType": error.name(), "errorMessage": error.to_string()}).to_string(),
        }),
    }
}

/// The first line of a failure's cause. A cause may be the JSON object that Lambda makes of an error, or plain text.
pub(crate) fn first_line(cause: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(cause).ok();
    let message = parsed.as_ref().and_then(|error| error["errorMessage"].as_str()).unwrap_or(cause);
    message.lines().next().unwrap_or_default().to_owned()
}

fn fatal(cause: String) -> Failure {
    Failure { error: "States.Runtime".to_owned(), cause }
}
