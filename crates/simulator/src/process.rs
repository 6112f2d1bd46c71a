//! A function's process: the place from which its calls come, and how it can die under them.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::Simulator;
use crate::clock::Time;

tokio::task_local! {
    static PROCESS: Arc<Process>;
}

/// Why nobody will know how far a process came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It died before it could answer.
    Crashed,
    /// Whoever invoked it stopped for good.
    OrchestratorDied,
}

/// A call that a process made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCall {
    /// The process's place.
    pub place: Arc<str>,
    /// Which of all processes it was; the first is 0.
    pub process: u64,
    /// What was called.
    pub operation: Arc<str>,
    /// When it arrived, since the first instant.
    pub at: Time,
}

/// What a fault has in store for a process.
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
    /// The process that the calling future belongs to, if it belongs to any.
    pub(crate) fn current() -> Option<Arc<Process>> {
        PROCESS.try_with(Arc::clone).ok()
    }

    /// The process dies: what waits for this waits for ever.
    pub(crate) async fn die(&self) {
        self.set_fate(Fate::Dies);
        pending().await
    }

    /// Whoever invoked the process is no more.
    pub(crate) async fn lose_orchestrator(&self) {
        self.set_fate(Fate::LosesOrchestrator);
        pending().await
    }

    /// Comes back when the same function has been invoked once more, from beginning to end.
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
    /// Runs one invocation of a function as a process of its own, in a place by which faults find it. A fault can have
    /// it die, or invoke it twice.
    ///
    /// # Errors
    /// When it died, or whoever invokes it is to stop for good.
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

    /// From now on no fault strikes a call.
    pub fn disarm_call_faults(&self) {
        self.endpoint.state().faults.disarm();
    }

    /// Whether each fault of a call has struck, in the order in which they were given.
    #[must_use]
    pub fn faults_struck(&self) -> Vec<bool> {
        self.endpoint.state().faults.struck().collect()
    }
}
