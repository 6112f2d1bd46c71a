//! `workflow run`: executes any definition in virtual time. Mocks answer its tasks, and a file can keep its events.

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
    let mut observer = |event: &Event| {
        if args.history.is_some() {
            events.push(event.clone());
        }
    };
    let (printed, exit) = match prepare(args) {
        Ok((machine, input, resources)) => {
            execute(&args.definition, &machine, input, resources.as_ref(), &mut observer)
        }
        Err(NotReady::Definition(invalid)) => {
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
        Err(error) => {
            streams.talk(format!("error: {error}"));
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

/// Why the definition is not executed.
#[derive(Debug, thiserror::Error)]
enum NotReady {
    #[error(transparent)]
    Definition(asl::Invalid),
    #[error("{}: {error}", file.display())]
    Read { file: PathBuf, error: std::io::Error },
    #[error("{}: not JSON: {error}", file.display())]
    Input { file: PathBuf, error: serde_json::Error },
    #[error("{}: {error}", file.display())]
    Mocks { file: PathBuf, error: mocks::MockError },
}

type Ready = (StateMachine, Value, Box<dyn Resources>);

fn prepare(args: &RunWorkflowArgs) -> Result<Ready, NotReady> {
    let machine = StateMachine::parse(&read(&args.definition)?).map_err(NotReady::Definition)?;
    let input = match &args.input {
        None => json!({}),
        Some(file) => {
            serde_json::from_str(&read(file)?).map_err(|error| NotReady::Input { file: file.clone(), error })?
        }
    };
    let resources: Box<dyn Resources> = match args.mocks.as_ref().zip(args.case.as_ref()) {
        None => Box::new(NoMocks),
        Some((file, case)) => {
            let of_file = |error| NotReady::Mocks { file: file.clone(), error };
            let config = mocks::parse(&read(file)?).map_err(of_file)?;
            Box::new(config.case(None, case).map_err(of_file)?)
        }
    };
    Ok((machine, input, resources))
}

fn read(file: &Path) -> Result<String, NotReady> {
    std::fs::read_to_string(file).map_err(|error| NotReady::Read { file: file.to_owned(), error })
}

fn execute(
    definition: &Path,
    machine: &StateMachine,
    input: Value,
    resources: &dyn Resources,
    observer: &mut dyn FnMut(&Event),
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
    match crate::rehearse::in_virtual_time(asl::run(machine, execution, resources, observer)).map(|end| end.outcome) {
        Ok(Outcome::Succeeded(output)) => (json!({"status": "SUCCEEDED", "output": output}), Exit::Done),
        Ok(Outcome::Failed(Failure { error, cause })) => {
            // A Fail state may have neither an error nor a cause.
            let given = |text: String| (!text.is_empty()).then_some(text);
            (json!({"status": "FAILED", "error": given(error), "cause": given(cause)}), Exit::Error)
        }
        Err(error) => (json!({"status": "FAILED", "error": "States.Runtime", "cause": error.to_string()}), Exit::Error),
    }
}

/// Fails every task, for definitions that are executed without mocks.
struct NoMocks;

impl Resources for NoMocks {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        let cause =
            format!("state '{}' calls {}: pass its answer with --mocks FILE --case NAME", task.state, task.resource);
        Box::pin(std::future::ready(Err(Failure { error: "States.Runtime".to_owned(), cause })))
    }
}
