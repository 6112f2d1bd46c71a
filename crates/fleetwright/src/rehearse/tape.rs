//! The beginning that many rehearsals have in common is played once, and taped: what each invocation was asked, what it
//! answered and when, and the world before it. Others have that replayed, state machine and all, and go on in that world.
//!
//! One seed, one outcome: a rehearsal that left the tape comes out as if it had played all of it.

use super::mishap::{Mishap, Site};
use asl::{Failure, Task};
use serde_json::Value;
use simulator::{Moment, Simulator};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// What an execution's invocations came to.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// How many of the rehearsal's mishaps it was played with.
    mishaps: usize,
    /// In the order in which they began.
    invocations: Vec<Invocation>,
    /// The world when the execution began, and before each invocation that had it to itself.
    moments: Vec<(usize, Moment)>,
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
    tape: RefCell<Tape>,
    under_way: Cell<usize>,
}

impl Recorder {
    /// The execution is about to begin.
    pub(super) fn starts(&self, simulator: &Simulator) {
        self.tape.borrow_mut().moments.push((0, simulator.moment()));
    }

    /// An invocation begins: which one it is.
    pub(super) fn begins(&self, task: &Task, simulator: &Simulator) -> usize {
        let Tape { invocations, moments, .. } = &mut *self.tape.borrow_mut();
        let which = invocations.len();
        if self.under_way.replace(self.under_way.get() + 1) == 0 {
            moments.push((which, simulator.moment()));
        }
        invocations.push(Invocation { state: task.state.clone(), input: task.input.clone(), answer: None });
        which
    }

    /// It ends.
    pub(super) fn ends(&self, which: usize, simulator: &Simulator, answer: &Result<Value, Failure>) {
        self.under_way.set(self.under_way.get() - 1);
        self.tape.borrow_mut().invocations[which].answer = Some((simulator.elapsed(), answer.clone()));
    }

    /// What was taped of a rehearsal with so many mishaps.
    pub(super) fn tape(self, mishaps: usize) -> Tape {
        Tape { mishaps, ..self.tape.into_inner() }
    }
}

/// What a tape has for an invocation.
pub(super) enum Replay {
    /// Its answer.
    Answer(Result<Value, Failure>),
    /// Nothing: it comes after the cue.
    Over,
    /// Another one: the rehearsal is not the one that was taped.
    Astray,
}

/// Where a rehearsal leaves a tape: before the first invocation that it makes itself.
#[derive(Debug, Clone)]
pub(super) struct Cue {
    tape: Arc<Tape>,
    moment: usize,
}

impl Cue {
    /// The last one that is not later than the beginning of a process; nothing if that came before all that is taped.
    pub(super) fn before_process(tape: &Arc<Tape>, process: u64) -> Option<Self> {
        Self::last(tape, |moment| moment.processes() <= process)
    }

    /// The last one at which what happens so long after the first instant is still to come; likewise.
    pub(super) fn before_time(tape: &Arc<Tape>, time: Duration) -> Option<Self> {
        Self::last(tape, |moment| moment.time() < time)
    }

    fn last(tape: &Arc<Tape>, is_early: impl Fn(&Moment) -> bool) -> Option<Self> {
        let moment = tape.moments.iter().rposition(|(_, moment)| is_early(moment))?;
        Some(Self { tape: Arc::clone(tape), moment })
    }

    /// The world there.
    pub(super) fn moment(&self) -> &Moment {
        &self.tape.moments[self.moment].1
    }

    /// The world when the execution began.
    pub(super) fn start(&self) -> &Moment {
        // There is a first one, since the cue is one of them.
        &self.tape.moments[0].1
    }

    /// What of a rehearsal's mishaps is yet to come: those beside the tape's, with calls counted from the cue on.
    pub(super) fn to_come(&self, mishaps: &[Mishap]) -> Vec<Mishap> {
        let more = mishaps.iter().skip(self.tape.mishaps);
        let counted = more.map(|mishap| match mishap {
            Mishap::Call { site, and_after, kind } => {
                let passed = self.moment().passed(&site.state, &site.operation);
                let site = Site { nth: site.nth.saturating_sub(passed), ..site.clone() };
                Mishap::Call { site, and_after: *and_after, kind: *kind }
            }
            world @ Mishap::World(_) => world.clone(),
        });
        counted.collect()
    }

    /// The number of the first invocation that is not replayed.
    pub(super) fn first_own(&self) -> usize {
        self.tape.moments[self.moment].0
    }

    /// Has the execution's invocation of this number, if it comes before the cue, answered as it was taped, when it is
    /// time for that.
    pub(super) async fn replay(&self, which: usize, task: &Task, simulator: &Simulator) -> Replay {
        if which >= self.first_own() {
            return Replay::Over;
        }
        let taped = &self.tape.invocations[which];
        if (&taped.state, &taped.input) != (&task.state, &task.input) {
            return Replay::Astray;
        }
        match &taped.answer {
            Some((ended, answer)) => {
                simulator.until(*ended).await;
                Replay::Answer(answer.clone())
            }
            None => pending().await,
        }
    }
}
