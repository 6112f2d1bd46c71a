//! Numbers events, dates them and shows them to the observer. It keeps none.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::event::{Event, EventKind};
use crate::fault::{Trouble, names};
use crate::outcome::Failure;

pub(super) struct Log<'r> {
    count: Cell<u64>,
    most: u64,
    started: Timestamp,
    began: Instant,
    /// The last time that was asked for, and what it was since the beginning: mostly, no time has passed since.
    last: Cell<(Duration, Timestamp)>,
    observer: RefCell<&'r mut dyn FnMut(&Event)>,
}

impl<'r> Log<'r> {
    pub(super) fn new(started: Timestamp, most: u64, observer: &'r mut dyn FnMut(&Event)) -> Log<'r> {
        let last = Cell::new((Duration::ZERO, started));
        Log { count: Cell::new(0), most, started, began: Instant::now(), last, observer: RefCell::new(observer) }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }

    /// The time on the execution's clock.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = self.began.elapsed();
        let (known, at) = self.last.get();
        if known == elapsed {
            return at;
        }
        let since = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        let at = self.started.saturating_add(since).unwrap_or(Timestamp::MAX);
        self.last.set((elapsed, at));
        at
    }

    /// Records an event, unless that leaves no room for the last one of all.
    pub(super) fn record(&self, previous: u64, iteration: Option<u64>, kind: EventKind) -> Result<u64, Trouble> {
        self.record_at(self.now(), previous, iteration, kind)
    }

    /// The same for an event that happens when another one did: the clock need not be asked.
    pub(super) fn record_at(
        &self,
        at: Timestamp,
        previous: u64,
        iteration: Option<u64>,
        kind: EventKind,
    ) -> Result<u64, Trouble> {
        if self.count.get() + 1 >= self.most {
            let cause = format!("The execution reached the maximum number of history events ({}).", self.most);
            return Err(Trouble::of(Failure { error: names::RUNTIME.to_owned(), cause }, self.count.get()));
        }
        Ok(self.show(at, previous, iteration, kind))
    }

    /// Records how the execution ended.
    pub(super) fn record_last(&self, previous: u64, kind: EventKind) {
        self.show(self.now(), previous, None, kind);
    }

    fn show(&self, at: Timestamp, previous: u64, iteration: Option<u64>, kind: EventKind) -> u64 {
        let id = self.count.get() + 1;
        self.count.set(id);
        (self.observer.borrow_mut())(&Event { id, previous, at, iteration, kind });
        id
    }
}
