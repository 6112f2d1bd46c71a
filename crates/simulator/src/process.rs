//! The process of a function: the place that its calls come from, and the ways in which a fault ends it.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::Simulator;
use crate::clock::Time;

tokio::task_local! {
    static PROCESS: Arc<Process>;
}

/// Why a process has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The process died before it could answer.
    Crashed,
    /// The orchestrator that invoked the process died.
    OrchestratorDied,
}

/// A call that a process made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCall {
    /// The place of the process, as given to [`Simulator::process`].
    pub place: Arc<str>,
    /// The number of the process, in the order of their starts. The first is 0.
    pub process: u64,
    /// The operation that was called.
    pub operation: Arc<str>,
    /// When the call arrived, since the start.
    pub at: Time,
}

/// What a fault does to a process.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Dies,
    RunsAgain,
    LosesOrchestrator,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) place: Arc<str>,
    pub(crate) ordinal: u64,
    fate: Mutex<Option<Fate>>,
    fate_set: Notify,
    released: Notify,
}

impl Process {
    /// The process that the calling future belongs to, if any.
    pub(crate) fn current() -> Option<Arc<Process>> {
        PROCESS.try_with(Arc::clone).ok()
    }

    /// The process dies: this future never completes.
    pub(crate) async fn die(&self) {
        self.set_fate(Fate::Dies);
        pending().await
    }

    /// The orchestrator of the process dies: this future never completes.
    pub(crate) async fn lose_orchestrator(&self) {
        self.set_fate(Fate::LosesOrchestrator);
        pending().await
    }

    /// Completes after the same function has been invoked a second time and has run to its end.
    pub(crate) async fn run_again(&self) {
        self.set_fate(Fate::RunsAgain);
        self.released.notified().await;
    }

    fn set_fate(&self, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
        self.fate_set.notify_one();
    }

    fn take_fate(&self) -> Option<Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Simulator {
    /// Runs one invocation of a function as a process. `place` names the caller of the function, such as the state that
    /// invokes it; a fault can select calls by it. A fault can make the process die, or invoke the function twice.
    ///
    /// # Errors
    /// [`Lost`] if the process or its orchestrator died.
    pub async fn process<'a, T>(
        &self,
        place: &str,
        invoke: &(dyn Fn() -> Pin<Box<dyn Future<Output = T> + 'a>> + 'a),
    ) -> Result<T, Lost> {
        let process = self.start(place);
        let mut answer = std::pin::pin!(PROCESS.scope(Arc::clone(&process), invoke()));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer),
                () = process.fate_set.notified() => {}
            }
            match process.take_fate() {
                Some(Fate::Dies) => return Err(Lost::Crashed),
                Some(Fate::RunsAgain) => {
                    if let Err(Lost::OrchestratorDied) = Box::pin(self.process(place, invoke)).await {
                        return Err(Lost::OrchestratorDied);
                    }
                    process.released.notify_one();
                }
                Some(Fate::LosesOrchestrator) => return Err(Lost::OrchestratorDied),
                None => {}
            }
        }
    }

    fn start(&self, place: &str) -> Arc<Process> {
        let mut state = self.endpoint.state();
        state.journal.processes += 1;
        Arc::new(Process {
            place: place.into(),
            ordinal: state.journal.processes - 1,
            fate: Mutex::default(),
            fate_set: Notify::new(),
            released: Notify::new(),
        })
    }

    /// Every call that a process made, in order.
    #[must_use]
    pub fn trail(&self) -> Vec<ProcessCall> {
        self.endpoint.state().journal.trail.clone()
    }

    /// From now on no fault strikes a call. World faults stay.
    pub fn disarm_call_faults(&self) {
        self.endpoint.state().faults.disarm();
    }

    /// Whether each call fault has struck, in the order of the faults.
    #[must_use]
    pub fn faults_struck(&self) -> Vec<bool> {
        self.endpoint.state().faults.struck().collect()
    }
}
