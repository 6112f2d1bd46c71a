//! The beginning that many rehearsals have in common is played once, and recorded: what each invocation was asked, what it
//! answered and when, and the world before it. Others have that replayed, state machine and all, and go on in that world.
//!
//! One seed, one outcome: a rehearsal that left the recording comes out as if it had played all of it.

use super::fault_spec::{FaultSpec, Site};
use asl::{Failure, Task};
use serde_json::Value;
use simulator::{Checkpoint, Simulator};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// What an execution's invocations came to.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// How many of the rehearsal's fault_specs it was played with.
    fault_specs: usize,
    /// In the order in which they began.
    invocations: Vec<Invocation>,
    /// The world when the execution began, and before each invocation that had it to itself.
    checkpoints: Vec<(usize, Checkpoint)>,
}

#[derive(Debug)]
struct Invocation {
    state: String,
    input: Value,
    /// What it answered, and how long after the first instant; none if it was given up.
    answer: Option<(Duration, Result<Value, Failure>)>,
}

/// Tapes an execution.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    recording: RefCell<Recording>,
    under_way: Cell<usize>,
}

impl Recorder {
    /// The execution is about to begin.
    pub(super) fn starts(&self, simulator: &Simulator) {
        self.recording.borrow_mut().checkpoints.push((0, simulator.checkpoint()));
    }

    /// An invocation begins: which one it is.
    pub(super) fn begins(&self, task: &Task, simulator: &Simulator) -> usize {
        let Recording { invocations, checkpoints, .. } = &mut *self.recording.borrow_mut();
        let which = invocations.len();
        if self.under_way.replace(self.under_way.get() + 1) == 0 {
            checkpoints.push((which, simulator.checkpoint()));
        }
        invocations.push(Invocation { state: task.state.clone(), input: task.input.clone(), answer: None });
        which
    }

    /// It ends.
    pub(super) fn ends(&self, which: usize, simulator: &Simulator, answer: &Result<Value, Failure>) {
        self.under_way.set(self.under_way.get() - 1);
        self.recording.borrow_mut().invocations[which].answer = Some((simulator.elapsed(), answer.clone()));
    }

    /// What was recorded of a rehearsal with so many fault_specs.
    pub(super) fn recording(self, fault_specs: usize) -> Recording {
        Recording { fault_specs, ..self.recording.into_inner() }
    }
}

/// What a recording has for an invocation.
pub(super) enum Replay {
    /// Its answer.
    Answer(Result<Value, Failure>),
    /// Nothing: it comes after the start_point.
    Over,
    /// Another one: the rehearsal is not the one that was recorded.
    Diverged,
}

/// Where a rehearsal leaves a recording: before the first invocation that it makes itself.
#[derive(Debug, Clone)]
pub(super) struct StartPoint {
    recording: Arc<Recording>,
    checkpoint: usize,
}

impl StartPoint {
    /// The last one that is not later than the beginning of a process; nothing if that came before all that is recorded.
    pub(super) fn before_process(recording: &Arc<Recording>, process: u64) -> Option<Self> {
        Self::last(recording, |checkpoint| checkpoint.processes() <= process)
    }

    /// The last one at which what happens so long after the first instant is still to come; likewise.
    pub(super) fn before_time(recording: &Arc<Recording>, time: Duration) -> Option<Self> {
        Self::last(recording, |checkpoint| checkpoint.time() < time)
    }

    fn last(recording: &Arc<Recording>, is_early: impl Fn(&Checkpoint) -> bool) -> Option<Self> {
        let checkpoint = recording.checkpoints.iter().rposition(|(_, checkpoint)| is_early(checkpoint))?;
        Some(Self { recording: Arc::clone(recording), checkpoint })
    }

    /// The world there.
    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.recording.checkpoints[self.checkpoint].1
    }

    /// The world when the execution began.
    pub(super) fn start(&self) -> &Checkpoint {
        // There is a first one, since the start_point is one of them.
        &self.recording.checkpoints[0].1
    }

    /// What of a rehearsal's fault_specs is yet to come: those beside the recording's, with calls counted from the start_point on.
    pub(super) fn to_come(&self, fault_specs: &[FaultSpec]) -> Vec<FaultSpec> {
        let more = fault_specs.iter().skip(self.recording.fault_specs);
        let counted = more.map(|fault_spec| match fault_spec {
            FaultSpec::Call { site, and_after, kind } => {
                let passed = self.checkpoint().calls_from(&site.state, &site.operation);
                let site = Site { nth: site.nth.saturating_sub(passed), ..site.clone() };
                FaultSpec::Call { site, and_after: *and_after, kind: *kind }
            }
            world @ FaultSpec::World(_) => world.clone(),
        });
        counted.collect()
    }

    /// The number of the first invocation that is not replayed.
    pub(super) fn first_own(&self) -> usize {
        self.recording.checkpoints[self.checkpoint].0
    }

    /// Has the execution's invocation of this number, if it comes before the start_point, answered as it was recorded, when it is
    /// time for that.
    pub(super) async fn replay(&self, which: usize, task: &Task, simulator: &Simulator) -> Replay {
        if which >= self.first_own() {
            return Replay::Over;
        }
        let recorded = &self.recording.invocations[which];
        if (&recorded.state, &recorded.input) != (&task.state, &task.input) {
            return Replay::Diverged;
        }
        match &recorded.answer {
            Some((ended, answer)) => {
                simulator.until(*ended).await;
                Replay::Answer(answer.clone())
            }
            None => pending().await,
        }
    }
}
