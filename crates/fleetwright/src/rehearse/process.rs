//! The step functions as faults meet them: each invocation is a process of the simulated world, in the place of its state.
//! A process can die or be invoked twice, and an execution that stops for good forgets it.

use super::recording::{Recorder, Replay, StartPoint};
use asl::{Failure, Resources, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::process::Lost;
use std::cell::Cell;
use std::future::pending;
use tokio::sync::Notify;

/// The functions of one execution. Each invocation is a process of the simulated world.
pub struct Processes<'a> {
    functions: Box<dyn Resources + 'a>,
    simulator: &'a Simulator,
    forgotten: Notify,
    mode: RecordingMode<'a>,
    /// How many invocations began.
    begun: Cell<usize>,
    diverged: Cell<bool>,
}

/// What an execution does with a recording.
#[derive(Debug, Clone, Copy)]
pub(super) enum RecordingMode<'a> {
    /// It has none.
    Off,
    /// It records each of its invocations.
    Record(&'a Recorder),
    /// It answers its invocations from a recording up to the start point, and invokes the functions from there on.
    Replay(&'a StartPoint),
}

impl<'a> Processes<'a> {
    /// These functions, in this world.
    pub fn new(functions: Box<dyn Resources + 'a>, simulator: &'a Simulator) -> Self {
        let (begun, diverged) = (Cell::new(0), Cell::new(false));
        Self { functions, simulator, forgotten: Notify::new(), mode: RecordingMode::Off, begun, diverged }
    }

    /// The same functions with this use of a recording.
    pub(super) fn with_recording(self, mode: RecordingMode<'a>) -> Self {
        Self { mode, ..self }
    }

    /// Whether the execution made the invocations of its recording and went on past the start point.
    pub(super) fn kept_to_recording(&self) -> bool {
        match self.mode {
            RecordingMode::Replay(start_point) => !self.diverged.get() && self.begun.get() > start_point.first_own(),
            RecordingMode::Off | RecordingMode::Record(_) => true,
        }
    }

    /// Returns when a fault has stopped the execution for good, or the execution has diverged from its recording.
    pub async fn forgotten(&self) {
        self.forgotten.notified().await;
    }
}

impl Resources for Processes<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            match self.mode {
                RecordingMode::Off => self.invoke(task).await,
                RecordingMode::Record(recorder) => {
                    let number = recorder.begin(&task, self.simulator);
                    let answer = self.invoke(task).await;
                    recorder.end(number, self.simulator, &answer);
                    answer
                }
                RecordingMode::Replay(start_point) => {
                    let number = self.begun.replace(self.begun.get() + 1);
                    match start_point.replay(number, &task, self.simulator).await {
                        Replay::Answer(answer) => answer,
                        Replay::Over => self.invoke(task).await,
                        Replay::Diverged => {
                            self.diverged.set(true);
                            self.forgotten.notify_one();
                            pending().await
                        }
                    }
                }
            }
        })
    }
}

impl Processes<'_> {
    async fn invoke(&self, task: Task) -> Result<Value, Failure> {
        let place = place(&task.state);
        let invoke = || self.functions.call(task.clone());
        match self.simulator.process(&place, &invoke).await {
            Ok(answer) => answer,
            Err(Lost::Crashed) => Err(exited()),
            Err(Lost::OrchestratorDied) => {
                self.forgotten.notify_one();
                pending().await
            }
        }
    }
}

/// A state's name as `--fault` has it: `Create the builder` becomes `create-the-builder`.
pub fn place(state: &str) -> String {
    let words = state.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// The error that Lambda answers when a process died.
/// <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>
fn exited() -> Failure {
    let text = "RequestId: 00000000-0000-4000-8000-000000000000 Error: Runtime exited with error: exit status 101";
    let error = "Runtime.ExitError";
    Failure { error: error.to_owned(), cause: json!({"errorType": error, "errorMessage": text}).to_string() }
}
