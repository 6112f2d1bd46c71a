//! The deployed stack: its clients, its names, and the calls that several commands make.

use super::stop::Stop;
use crate::TABLE;
use crate::definition::Definition;
use crate::lambda::PREFIX;
use crate::lambda::first_line;
use aws_config::BehaviorVersion;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use fleet::{Config, FleetName, FleetRecord, Observed, Outcome, Phase, Refusal, Run, RunId, RunRef};
use functions::{Ledger, Named, Versioned};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// The deployed stack in one account and region, with the operator's credentials.
pub(super) struct Stack {
    pub(super) step_functions: aws_sdk_sfn::Client,
    pub(super) ledger: Ledger,
    /// The operator's ARN.
    pub(super) caller: String,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) scheduler: aws_sdk_scheduler::Client,
    lambda: aws_sdk_lambda::Client,
    clock: SharedTimeSource,
    partition: String,
    region: String,
    account: String,
}

/// An execution, by its state machine and its name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExecutionId {
    pub(super) definition: Definition,
    pub(super) name: RunId,
}

impl ExecutionId {
    /// The execution that continues a run.
    pub(super) fn of(run: &Run) -> Self {
        Self { definition: Definition::of(run.workflow), name: run.execution().clone() }
    }
}

/// The status of an execution.
pub(super) enum Execution {
    Running,
    /// The execution has ended. `failure` is the error and its cause, or `None` if the execution succeeded.
    Ended {
        failure: Option<(String, String)>,
    },
    /// Step Functions does not know it: it was just started, ended more than 90 days ago, or never existed.
    Unknown,
}

/// The number of an execution's latest events that show its current state.
const LATEST: i32 = 20;

/// How often a change of a record is tried, and the pause between two tries.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);

impl Stack {
    /// Takes region, credentials and endpoints from where the AWS CLI takes them, and asks AWS whose they are.
    pub(super) async fn connect() -> Result<Self, Stop> {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
        let region = config.region().cloned().ok_or_else(|| {
            Stop::bad_input("no AWS region: set AWS_REGION, or choose a profile that has one with AWS_PROFILE")
        })?;
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.of("GetCallerIdentity")?;
        let caller = identity.arn().unwrap_or_default().to_owned();
        let partition = caller.split(':').nth(1).unwrap_or("aws");
        let account = identity.account().unwrap_or_default();
        Ok(Self {
            step_functions: aws_sdk_sfn::Client::new(&config),
            ledger: Ledger::new(aws_sdk_dynamodb::Client::new(&config), TABLE),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            clock: config.time_source().unwrap_or_default(),
            partition: partition.to_owned(),
            region: region.to_string(),
            account: account.to_owned(),
            caller,
        })
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }

    /// An execution's ARN.
    fn arn(&self, execution: &ExecutionId) -> String {
        self.arn_of("states", &format!("execution:{}:{}", execution.definition.machine, execution.name))
    }

    /// A state machine's ARN.
    pub(super) fn state_machine(&self, definition: Definition) -> String {
        self.arn_of("states", &format!("stateMachine:{}", definition.machine))
    }

    /// The role with which schedules start executions, as in infra/template.yaml. Roles are per account, so its name has the
    /// region.
    pub(super) fn scheduler_role(&self) -> String {
        format!("arn:{}:iam::{}:role/fleetwright-scheduler-{}", self.partition, self.account, self.region)
    }

    /// The ARN of a resource in this account and region.
    pub(super) fn arn_of(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    /// Starts an execution. Repeating the call with the same name and input finds the running execution.
    pub(super) async fn start(&self, execution: &ExecutionId, input: &Value) -> Result<(), Stop> {
        let start = self.step_functions.start_execution().state_machine_arn(self.state_machine(execution.definition));
        start.name(execution.name.as_str()).input(input.to_string()).send().await.of("StartExecution")?;
        Ok(())
    }

    /// A fleet's record.
    pub(super) async fn fleet(&self, name: &FleetName) -> Result<Versioned<FleetRecord>, Stop> {
        let found = self.ledger.fleet(name).await?;
        found.ok_or_else(|| Refusal::UnknownFleet { fleet: name.clone() }.into())
    }

    /// The record of the named run; by default, of the run that holds the lock, or else of the last run.
    pub(super) async fn run(&self, fleet: &FleetName, named: Option<&RunId>) -> Result<Versioned<Run>, Stop> {
        let id = match (named, &self.fleet(fleet).await?.record.lock) {
            (Some(named), _) => named.clone(),
            (None, Some(lock)) => lock.run.clone(),
            (None, None) => {
                let last = self.ledger.runs(fleet).await?.into_iter().next();
                last.map(|run| run.run.id).ok_or_else(|| Stop::refused(format!("fleet {fleet} has had no run yet")))?
            }
        };
        let run = RunRef { fleet: fleet.clone(), id };
        let found = self.ledger.run(&run).await?;
        found.ok_or_else(|| Stop::refused(format!("{run} is not in the ledger")))
    }

    /// The run that keeps other runs from the fleet: the scale-out that joined, if it is frozen or dead; otherwise the run that
    /// holds the lock.
    pub(super) async fn blocking_run(&self, fleet: &FleetRecord) -> Result<Option<RunId>, Stop> {
        let lock = fleet.lock.as_ref().map(|lock| &lock.run);
        let Some(joining) = &fleet.joining else { return Ok(lock.cloned()) };
        let run = self.run(fleet.name(), Some(joining)).await?.record;
        let continues = matches!(self.describe(&ExecutionId::of(&run)).await?, Execution::Running)
            && run.phase != Phase::Ended(Outcome::Frozen);
        Ok(Some(lock.filter(|_| continues).unwrap_or(joining).clone()))
    }

    /// The status of an execution.
    pub(super) async fn describe(&self, execution: &ExecutionId) -> Result<Execution, Stop> {
        let call = self.step_functions.describe_execution().execution_arn(self.arn(execution));
        let answer = match call.send().await {
            Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
                return Ok(Execution::Unknown);
            }
            answer => answer.of("DescribeExecution")?,
        };
        if *answer.status() == ExecutionStatus::Running {
            return Ok(Execution::Running);
        }
        let failure = (*answer.status() != ExecutionStatus::Succeeded).then(|| {
            let error = answer.error().unwrap_or(answer.status().as_str()).to_owned();
            (error, first_line(answer.cause().unwrap_or("no cause given")))
        });
        Ok(Execution::Ended { failure })
    }

    /// The state that an execution is in, and what that state waits for.
    pub(super) async fn current_state(&self, execution: &ExecutionId) -> Result<Option<String>, Stop> {
        let call = self.step_functions.get_execution_history().execution_arn(self.arn(execution));
        let answer = match call.reverse_order(true).max_results(LATEST).send().await {
            Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
                return Ok(None);
            }
            answer => answer.of("GetExecutionHistory")?,
        };
        let mut waiting = None;
        for event in answer.events() {
            if let Some(failed) = event.task_failed_event_details() {
                waiting = waiting.or(failed.cause());
            }
            if let Some(entered) = event.state_entered_event_details() {
                let waiting = waiting.map(|cause| format!(": {}", first_line(cause))).unwrap_or_default();
                return Ok(Some(format!("{}{waiting}", entered.name())));
            }
        }
        Ok(waiting.map(first_line))
    }

    /// Repeats `change`, which reads and writes records, until no step has written them in between. Ends with the last error if
    /// every try fails for a transient reason.
    pub(super) async fn retry_on_conflict<T>(&self, change: impl AsyncFn() -> Result<T, Stop>) -> Result<T, Stop> {
        for _ in 1..TRIES {
            match change().await {
                Err(stop) if stop.transient => tokio::time::sleep(BETWEEN_TRIES).await,
                changed => return changed,
            }
        }
        change().await
    }

    /// The fleet as it is on AWS now, by the ledger's configuration or by `config`.
    pub(super) async fn observe(&self, fleet: &FleetName, config: Option<&Config>) -> Result<Observed, Stop> {
        self.invoke("observe", &json!({"fleet": fleet, "config": config})).await
    }

    /// Invokes a function that only reads, and returns its answer.
    pub(super) async fn invoke<T: DeserializeOwned>(&self, step: &str, input: &Value) -> Result<T, Stop> {
        let function = format!("{PREFIX}{step}");
        let call = self.lambda.invoke().function_name(&function).payload(Blob::new(input.to_string()));
        let answer = call.send().await.of("Invoke")?;
        let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
        let payload: Value = serde_json::from_slice(payload)
            .map_err(|error| Stop::error(format!("the answer of {function} is not JSON: {error}")))?;
        if answer.function_error().is_some() {
            let text = payload["errorMessage"].as_str().unwrap_or("no message");
            let error = payload["errorType"].as_str().unwrap_or("no name");
            return Err(if error == "Refused" {
                Stop::refused(text.to_owned())
            } else {
                Stop::error(format!("{function}: {error}: {text}"))
            });
        }
        serde_json::from_value(payload).map_err(|error| Stop::error(format!("the answer of {function}: {error}")))
    }
}
