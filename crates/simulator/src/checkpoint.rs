//! A checkpoint of a rehearsal, from which other rehearsals continue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Simulator;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::state::State;

/// The simulated AWS as it was at one time. It does not change.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    state: State,
    invocations: u64,
}

impl Checkpoint {
    /// The checkpoint's time since the start.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.state.now
    }

    /// How many processes ran before the checkpoint.
    #[must_use]
    pub fn processes(&self) -> u64 {
        self.state.journal.processes
    }

    /// How many times each operation was called before the checkpoint.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.journal.calls()
    }

    /// Continues from the checkpoint on `clock`.
    pub(crate) fn resume_on(self, clock: Clock) -> Simulator {
        let Checkpoint { state, invocations } = self;
        Simulator { endpoint: Endpoint::new(clock, state), invocations: Arc::new(AtomicU64::new(invocations)) }
    }

    /// How many times the processes in a place called an operation before the checkpoint.
    #[must_use]
    pub fn calls_from(&self, place: &str, operation: &str) -> u32 {
        let trail = self.state.journal.trail.iter();
        let passed = trail.filter(|passed| (&*passed.place, &*passed.operation) == (place, operation)).count();
        u32::try_from(passed).unwrap_or(u32::MAX)
    }
}

impl Simulator {
    /// A checkpoint of the present state.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { state: self.endpoint.state().clone(), invocations: self.invocations.load(Ordering::Relaxed) }
    }

    /// Continues from a checkpoint in a rehearsal whose clock is at the start. The state does not change until the
    /// clock reaches the checkpoint's time, and no call may be made before. `more` are further faults. They count calls
    /// from the checkpoint on.
    /// Call it inside a tokio runtime whose clock is paused.
    #[must_use]
    pub fn from_checkpoint(checkpoint: &Checkpoint, more: Vec<Fault>) -> Simulator {
        let mut checkpoint = checkpoint.clone();
        checkpoint.state.arm(more);
        let clock = Clock::starting_at(checkpoint.state.world.start);
        checkpoint.resume_on(clock)
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.endpoint.clock.elapsed()
    }

    /// Waits until the given time since the start.
    pub async fn until(&self, since_start: Duration) {
        tokio::time::sleep(since_start.saturating_sub(self.elapsed())).await;
    }
}
