//! `workflow run`: any definition, in virtual time, its tasks answered by mocks; its events are kept if they are wanted.

use crate::{Exit, Streams};
use asl::{Event, Execution, Failure, Limits, Outcome, Resources, StateMachine, Task};
use asl::{history, mocks};
use clap::Args;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The definition to run, and its input.
#[derive(Debug, Args)]
pub struct RunWorkflowArgs {
    /// The definition file, in the Amazon States Language.
    pub definition: PathBuf,
    /// A JSON file with the execution's input. By default, the input is `{}`.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// A JSON file with the answers of Task states, in the mock configuration format of AWS Step Functions Local.
    #[arg(long, value_name = "FILE", requires = "case")]
    pub mocks: Option<PathBuf>,
    /// The test case of the mock configuration.
    #[arg(long, value_name = "NAME", requires = "mocks")]
    pub case: Option<String>,
    /// Write the execution's events to this file, in the form of GetExecutionHistory.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

/// Runs the definition and prints how it ended.
pub(crate) fn run(args: &RunWorkflowArgs, streams: &mut Streams<'_>) -> Exit {
    let mut events = Vec::new();
    let mut see = |event: &Event| {
        if args.history.is_some() {
            events.push(event.clone());
        }
    };
    let (printed, exit) = match prepare(args) {
        Ok((machine, input, resources)) => play(&args.definition, &machine, input, resources.as_ref(), &mut see),
        Err(Unready::Invalid(invalid)) => {
            let error = |defect: &asl::Defect| {
                let mut error = json!({"path": defect.path, "reason": defect.reason});
                if let Some(detail) = &defect.detail {
                    error["detail"] = detail.as_str().into();
                }
                error
            };
            let errors: Vec<_> = invalid.defects.iter().map(error).collect();
            (json!({"status": "INVALID", "errors": errors}), Exit::BadInput)
        }
        Err(Unready::Usage(problem)) => {
            streams.talk(format!("error: {problem}"));
            return Exit::BadInput;
        }
    };
    streams.data(printed);
    if let Some(file) = &args.history
        && let Err(problem) = std::fs::write(file, format!("{:#}\n", history::export(&events)))
    {
        streams.talk(format!("error: {}: {problem}", file.display()));
        return Exit::Error;
    }
    exit
}

enum Unready {
    Invalid(asl::Invalid),
    Usage(String),
}

type Ready = (StateMachine, Value, Box<dyn Resources>);

fn prepare(args: &RunWorkflowArgs) -> Result<Ready, Unready> {
    let machine = StateMachine::parse(&read(&args.definition)?).map_err(Unready::Invalid)?;
    let input = match &args.input {
        None => json!({}),
        Some(file) => serde_json::from_str(&read(file)?)
            .map_err(|error| Unready::Usage(format!("{}: not JSON: {error}", file.display())))?,
    };
    let resources: Box<dyn Resources> = match args.mocks.as_ref().zip(args.case.as_ref()) {
        None => Box::new(Nobody),
        Some((file, case)) => {
            let of_file = |error: &dyn std::fmt::Display| Unready::Usage(format!("{}: {error}", file.display()));
            let config = mocks::parse(&read(file)?).map_err(|error| of_file(&error))?;
            Box::new(config.case(None, case).map_err(|error| of_file(&error))?)
        }
    };
    Ok((machine, input, resources))
}

fn read(file: &Path) -> Result<String, Unready> {
    std::fs::read_to_string(file).map_err(|error| Unready::Usage(format!("{}: {error}", file.display())))
}

fn play(
    definition: &Path,
    machine: &StateMachine,
    input: Value,
    resources: &dyn Resources,
    see: &mut dyn FnMut(&Event),
) -> (Value, Exit) {
    let name = definition.file_stem().map_or("workflow".into(), |stem| stem.to_string_lossy().into_owned());
    let arn = |kind: &str, id: &str| format!("arn:aws:states:us-east-1:123456789012:{kind}:{id}");
    let execution = Execution {
        id: arn("execution", &format!("{name}:run")),
        name: "run".to_owned(),
        role: "arn:aws:iam::123456789012:role/workflow".to_owned(),
        state_machine_id: arn("stateMachine", &name),
        state_machine: name,
        input,
        started: crate::rehearse::START,
        limits: Limits::default(),
    };
    match crate::rehearse::in_virtual_time(asl::run(machine, execution, resources, see)).map(|end| end.outcome) {
        Ok(Outcome::Succeeded(output)) => (json!({"status": "SUCCEEDED", "output": output}), Exit::Done),
        Ok(Outcome::Failed(Failure { error, cause })) => {
            // A Fail state needs neither.
            let said = |text: String| (!text.is_empty()).then_some(text);
            (json!({"status": "FAILED", "error": said(error), "cause": said(cause)}), Exit::Error)
        }
        Err(error) => (json!({"status": "FAILED", "error": "States.Runtime", "cause": error.to_string()}), Exit::Error),
    }
}

/// Performs no task.
struct Nobody;

impl Resources for Nobody {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        let cause = format!(
            "state '{}' calls {}: give what it answers with --mocks FILE --case NAME",
            task.state, task.resource
        );
        Box::pin(std::future::ready(Err(Failure { error: "States.Runtime".to_owned(), cause })))
    }
}
