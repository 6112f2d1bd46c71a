//! Numbers events, dates them and shows them to the observer. It keeps none.

use std::cell::{Cell, RefCell};

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
    observer: RefCell<&'r mut dyn FnMut(&Event)>,
}

impl<'r> Log<'r> {
    pub(super) fn new(started: Timestamp, most: u64, observer: &'r mut dyn FnMut(&Event)) -> Log<'r> {
        Log { count: Cell::new(0), most, started, began: Instant::now(), observer: RefCell::new(observer) }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }

    /// The time on the execution's clock.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.started.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Records an event, unless that leaves no room for the last one of all.
    pub(super) fn record(
        &self,
        previous: u64,
        iteration: Option<u64>,
        kind: EventKind,
    ) -> Result<(u64, Timestamp), Trouble> {
        if self.count.get() + 1 >= self.most {
            let cause = format!("The execution reached the maximum number of history events ({}).", self.most);
            return Err(Trouble::of(Failure { error: names::RUNTIME.to_owned(), cause }, self.count.get()));
        }
        Ok(self.show(previous, iteration, kind))
    }

    /// Records how the execution ended.
    pub(super) fn record_last(&self, previous: u64, kind: EventKind) {
        self.show(previous, None, kind);
    }

    fn show(&self, previous: u64, iteration: Option<u64>, kind: EventKind) -> (u64, Timestamp) {
        let (id, at) = (self.count.get() + 1, self.now());
        self.count.set(id);
        (self.observer.borrow_mut())(&Event { id, previous, at, iteration, kind });
        (id, at)
    }
}
