//! A moment of a rehearsal, kept so that others can go on from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Simulator;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::state::State;

/// A world as it stood at one time. It does not move.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    state: State,
    invocations: u64,
}

impl Checkpoint {
    /// How long after the first instant it was.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.state.now
    }

    /// How many processes there had been.
    #[must_use]
    pub fn processes(&self) -> u64 {
        self.state.journal.processes
    }

    /// How often each operation had been called.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.journal.calls()
    }

    /// The world on a clock, by which it goes on.
    pub(crate) fn resume_on(self, clock: Clock) -> Simulator {
        let Checkpoint { state, invocations } = self;
        Simulator { endpoint: Endpoint::new(clock, state), invocations: Arc::new(AtomicU64::new(invocations)) }
    }

    /// How often the processes in a place had called an operation.
    #[must_use]
    pub fn calls_from(&self, place: &str, operation: &str) -> u32 {
        let trail = self.state.journal.trail.iter();
        let passed = trail.filter(|passed| (&*passed.place, &*passed.operation) == (place, operation)).count();
        u32::try_from(passed).unwrap_or(u32::MAX)
    }
}

impl Simulator {
    /// The world as it is now, to go on from.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { state: self.endpoint.state().clone(), invocations: self.invocations.load(Ordering::Relaxed) }
    }

    /// The world of a moment once more, for a rehearsal whose clock is at the first instant: it stands still until the
    /// moment has come, and nobody may call before. `more` is to go wrong from there on, and counts calls from there on.
    /// Call it inside a tokio runtime whose clock is paused.
    #[must_use]
    pub fn from_checkpoint(checkpoint: &Checkpoint, more: Vec<Fault>) -> Simulator {
        let mut checkpoint = checkpoint.clone();
        checkpoint.state.arm(more);
        let clock = Clock::starting_at(checkpoint.state.world.start);
        checkpoint.resume_on(clock)
    }

    /// How long it is since the first instant.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.endpoint.clock.elapsed()
    }

    /// Waits until so long after the first instant.
    pub async fn until(&self, since_start: Duration) {
        tokio::time::sleep(since_start.saturating_sub(self.elapsed())).await;
    }
}
