//! Lambda as faults find it: each invocation a process in the place of its state, which can die or be invoked twice, and
//! be forgotten by an execution that stops for good.

use super::recording::{Recorder, Replay, StartPoint};
use asl::{Failure, Resources, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::process::Lost;
use std::cell::Cell;
use std::future::pending;
use tokio::sync::Notify;

/// The functions of one execution, each invocation of which is a process of the simulated world.
pub struct Processes<'a> {
    functions: Box<dyn Resources + 'a>,
    simulator: &'a Simulator,
    forgotten: Notify,
    beginning: Beginning<'a>,
    begun: Cell<usize>,
    diverged: Cell<bool>,
}

/// How an execution comes to its first own invocation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beginning<'a> {
    /// It is the very first.
    Own,
    /// So it is, and all are taped.
    Recorded(&'a Recorder),
    /// What comes before it is replayed.
    Replayed(&'a StartPoint),
}

impl<'a> Processes<'a> {
    /// These functions, in this world.
    pub fn new(functions: Box<dyn Resources + 'a>, simulator: &'a Simulator) -> Self {
        let (begun, diverged) = (Cell::new(0), Cell::new(false));
        Self { functions, simulator, forgotten: Notify::new(), beginning: Beginning::Own, begun, diverged }
    }

    /// The same, with another beginning.
    pub(super) fn with(self, beginning: Beginning<'a>) -> Self {
        Self { beginning, ..self }
    }

    /// Whether all that was to be replayed was, and the execution went on from there.
    pub(super) fn kept_to_recording(&self) -> bool {
        match self.beginning {
            Beginning::Replayed(start_point) => !self.diverged.get() && self.begun.get() > start_point.first_own(),
            Beginning::Own | Beginning::Recorded(_) => true,
        }
    }

    /// Comes back when a fault has ended the execution, or it is another than was taped.
    pub async fn forgotten(&self) {
        self.forgotten.notified().await;
    }
}

impl Resources for Processes<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            match self.beginning {
                Beginning::Own => self.invoke(task).await,
                Beginning::Recorded(recorder) => {
                    let which = recorder.begins(&task, self.simulator);
                    let answer = self.invoke(task).await;
                    recorder.ends(which, self.simulator, &answer);
                    answer
                }
                Beginning::Replayed(start_point) => {
                    let which = self.begun.replace(self.begun.get() + 1);
                    match start_point.replay(which, &task, self.simulator).await {
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
