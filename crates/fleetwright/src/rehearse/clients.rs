//! Clients of the simulated AWS, used again by one rehearsal after another: making those of all functions takes longer
//! than many a rehearsal.

use super::unsigned_config;
use crate::TABLE;
use fleet::Config;
use functions::Aws;
use simulator::{EndpointSwitch, Simulator};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Sets of clients that no rehearsal has at the checkpoint; all for fleets of one region.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: RefCell<Vec<Rc<Clients>>>,
}

/// The clients of each function that has called so far, all through one switch.
#[derive(Debug)]
struct Clients {
    switch: EndpointSwitch,
    by_function: RefCell<BTreeMap<String, Aws>>,
}

/// Clients that a rehearsal has; dropped, they go back.
#[derive(Debug)]
pub(super) struct Taken<'p> {
    pool: &'p Pool,
    config: &'p Config,
    clients: Rc<Clients>,
}

impl Pool {
    /// Clients for a run's functions in a simulated world.
    pub(super) fn take<'p>(&'p self, simulator: &Simulator, config: &'p Config, run: &str) -> Taken<'p> {
        let free = self.free.borrow_mut().pop();
        let clients = free.unwrap_or_else(|| {
            Rc::new(Clients { switch: EndpointSwitch::to(simulator, run), by_function: RefCell::default() })
        });
        clients.switch.switch_to(simulator, run);
        Taken { pool: self, config, clients }
    }
}

impl Taken<'_> {
    /// A function's clients, which know nothing of being rehearsed.
    pub(super) fn of(&self, function: &str) -> Aws {
        let Clients { switch, by_function } = &*self.clients;
        let connect =
            || Aws::new(&unsigned_config(switch.http_client(function), switch.time_source(), self.config), TABLE);
        by_function.borrow_mut().entry(function.to_owned()).or_insert_with(connect).clone()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.pool.free.borrow_mut().push(Rc::clone(&self.clients));
    }
}
