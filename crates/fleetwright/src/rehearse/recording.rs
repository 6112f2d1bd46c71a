//! A recording of a scenario: each invocation's input and answer, when it answered, and the world before it. A rehearsal
//! with one fault replays the recording, state machine included, up to its fault, and goes on in the world that is recorded
//! there.
//!
//! A seed determines a rehearsal, so a rehearsal from a start point ends exactly as it would from the first instant.

use super::fault_spec::{FaultSpec, Site};
use asl::{Failure, Task};
use serde_json::Value;
use simulator::{Checkpoint, Simulator};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// The invocations of one execution.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// How many faults the recorded rehearsal had.
    faults: usize,
    /// The invocations in the order in which they began.
    invocations: Vec<Invocation>,
    /// The world when the execution began, and before each invocation during which no other was under way. Each with the
    /// number of the invocation that follows.
    checkpoints: Vec<(usize, Checkpoint)>,
}

#[derive(Debug)]
struct Invocation {
    state: String,
    input: Value,
    /// The answer, and the time from the first instant until it came. None if the execution dropped the invocation.
    answer: Option<(Duration, Result<Value, Failure>)>,
}

/// Records an execution.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    recording: RefCell<Recording>,
    under_way: Cell<usize>,
}

impl Recorder {
    /// Records the world just before the execution begins.
    pub(super) fn start(&self, simulator: &Simulator) {
        self.recording.borrow_mut().checkpoints.push((0, simulator.checkpoint()));
    }

    /// Records that an invocation begins, and returns its number.
    pub(super) fn begin(&self, task: &Task, simulator: &Simulator) -> usize {
        let Recording { invocations, checkpoints, .. } = &mut *self.recording.borrow_mut();
        let number = invocations.len();
        if self.under_way.replace(self.under_way.get() + 1) == 0 {
            checkpoints.push((number, simulator.checkpoint()));
        }
        invocations.push(Invocation { state: task.state.clone(), input: task.input.clone(), answer: None });
        number
    }

    /// Records the answer of the invocation with this number.
    pub(super) fn end(&self, number: usize, simulator: &Simulator, answer: &Result<Value, Failure>) {
        self.under_way.set(self.under_way.get() - 1);
        self.recording.borrow_mut().invocations[number].answer = Some((simulator.elapsed(), answer.clone()));
    }

    /// The recording of a rehearsal with this many faults.
    pub(super) fn finish(self, faults: usize) -> Recording {
        Recording { faults, ..self.recording.into_inner() }
    }
}

/// What a recording has for an invocation.
pub(super) enum Replay {
    /// Its answer.
    Answer(Result<Value, Failure>),
    /// Nothing: the invocation comes after the start point.
    Over,
    /// Another invocation: the rehearsal is not the one that was recorded.
    Diverged,
}

/// The checkpoint of a recording from which a rehearsal invokes the functions itself.
#[derive(Debug, Clone)]
pub(super) struct StartPoint {
    recording: Arc<Recording>,
    /// The checkpoint's index.
    checkpoint: usize,
}

impl StartPoint {
    /// The last checkpoint that is not later than the begin of a process. None if the process began before the recording.
    pub(super) fn before_process(recording: &Arc<Recording>, process: u64) -> Option<Self> {
        Self::last(recording, |checkpoint| checkpoint.processes() <= process)
    }

    /// The last checkpoint before a time, counted from the first instant. None if the recording begins later.
    pub(super) fn before_time(recording: &Arc<Recording>, time: Duration) -> Option<Self> {
        Self::last(recording, |checkpoint| checkpoint.time() < time)
    }

    fn last(recording: &Arc<Recording>, is_early: impl Fn(&Checkpoint) -> bool) -> Option<Self> {
        let checkpoint = recording.checkpoints.iter().rposition(|(_, checkpoint)| is_early(checkpoint))?;
        Some(Self { recording: Arc::clone(recording), checkpoint })
    }

    /// The world at the start point.
    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.recording.checkpoints[self.checkpoint].1
    }

    /// The world when the execution began.
    pub(super) fn first_checkpoint(&self) -> &Checkpoint {
        // The start point is a checkpoint of the recording, so there is a first one.
        &self.recording.checkpoints[0].1
    }

    /// Those of a rehearsal's faults that the recording does not have. Their calls are counted from the start point on.
    pub(super) fn remaining(&self, faults: &[FaultSpec]) -> Vec<FaultSpec> {
        let remaining = faults.iter().skip(self.recording.faults);
        let counted = remaining.map(|fault| match fault {
            FaultSpec::Call { site, and_after, kind } => {
                let passed = self.checkpoint().calls_from(&site.state, &site.operation);
                let site = Site { nth: site.nth.saturating_sub(passed), ..site.clone() };
                FaultSpec::Call { site, and_after: *and_after, kind: *kind }
            }
            world @ FaultSpec::World(_) => world.clone(),
        });
        counted.collect()
    }

    /// The number of the first invocation that the recording does not answer.
    pub(super) fn first_own(&self) -> usize {
        self.recording.checkpoints[self.checkpoint].0
    }

    /// Answers the execution's invocation of this number from the recording, at the recorded time, if the invocation comes
    /// before the start point.
    pub(super) async fn replay(&self, number: usize, task: &Task, simulator: &Simulator) -> Replay {
        if number >= self.first_own() {
            return Replay::Over;
        }
        let recorded = &self.recording.invocations[number];
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
