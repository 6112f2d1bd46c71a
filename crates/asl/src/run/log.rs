//! Gives each event its number and time, and passes it to the observer. It keeps no events.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::error::{StateError, names};
use crate::event::{Event, EventKind};
use crate::execution::Failure;

pub(super) struct Log<'r> {
    count: Cell<u64>,
    max_events: u64,
    started: Timestamp,
    started_instant: Instant,
    /// A cache of the last computed time and its duration since the start. Mostly, no time passes between events.
    last: Cell<(Duration, Timestamp)>,
    observer: RefCell<&'r mut dyn FnMut(&Event)>,
}

impl<'r> Log<'r> {
    pub(super) fn new(started: Timestamp, max_events: u64, observer: &'r mut dyn FnMut(&Event)) -> Log<'r> {
        let last = Cell::new((Duration::ZERO, started));
        Log {
            count: Cell::new(0),
            max_events,
            started,
            started_instant: Instant::now(),
            last,
            observer: RefCell::new(observer),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }

    /// The current time on the execution's clock.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = self.started_instant.elapsed();
        let (known, at) = self.last.get();
        if known == elapsed {
            return at;
        }
        let since = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        let at = self.started.saturating_add(since).unwrap_or(Timestamp::MAX);
        self.last.set((elapsed, at));
        at
    }

    /// Records an event and returns its id. It fails if no place would remain in the history for the last event.
    pub(super) fn record(&self, previous: u64, iteration: Option<u64>, kind: EventKind) -> Result<u64, StateError> {
        self.record_at(self.now(), previous, iteration, kind)
    }

    /// Like [`record`](Self::record), for an event whose time is known. This avoids reading the clock.
    pub(super) fn record_at(
        &self,
        at: Timestamp,
        previous: u64,
        iteration: Option<u64>,
        kind: EventKind,
    ) -> Result<u64, StateError> {
        if self.count.get() + 1 >= self.max_events {
            let cause = format!("The execution reached the maximum number of history events ({}).", self.max_events);
            return Err(StateError::new(Failure { error: names::RUNTIME.to_owned(), cause }, self.count.get()));
        }
        Ok(self.emit(at, previous, iteration, kind))
    }

    /// Records the last event, for which the history always has a place.
    pub(super) fn record_last(&self, previous: u64, kind: EventKind) {
        self.emit(self.now(), previous, None, kind);
    }

    fn emit(&self, at: Timestamp, previous: u64, iteration: Option<u64>, kind: EventKind) -> u64 {
        let id = self.count.get() + 1;
        self.count.set(id);
        (self.observer.borrow_mut())(&Event { id, previous, at, iteration, kind });
        id
    }
}
