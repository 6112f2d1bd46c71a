//! SDK clients of the simulated AWS that one rehearsal after another uses: making the clients of all functions takes longer
//! than many a rehearsal.

use super::sdk_config::unsigned_config;
use crate::TABLE;
use fleet::Config;
use functions::Aws;
use simulator::{EndpointSwitch, Simulator};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Sets of clients that no rehearsal uses at the time. All are for fleets of one region.
#[derive(Debug, Default)]
pub(super) struct ClientPool {
    free: RefCell<Vec<Rc<Clients>>>,
}

/// The clients of each function that has called so far, all through one switch.
#[derive(Debug)]
struct Clients {
    switch: EndpointSwitch,
    by_function: RefCell<BTreeMap<String, Aws>>,
}

/// Clients that a rehearsal uses. Dropping them returns them to the pool.
#[derive(Debug)]
pub(super) struct TakenClients<'p> {
    pool: &'p ClientPool,
    config: &'p Config,
    clients: Rc<Clients>,
}

impl ClientPool {
    /// Clients for a run's functions in a simulated world.
    pub(super) fn take<'p>(&'p self, simulator: &Simulator, config: &'p Config, run: &str) -> TakenClients<'p> {
        let free = self.free.borrow_mut().pop();
        let clients = free.unwrap_or_else(|| {
            Rc::new(Clients { switch: EndpointSwitch::to(simulator, run), by_function: RefCell::default() })
        });
        clients.switch.switch_to(simulator, run);
        TakenClients { pool: self, config, clients }
    }
}

impl TakenClients<'_> {
    /// A function's clients. They do not know that they call a simulated AWS.
    pub(super) fn of(&self, function: &str) -> Aws {
        let Clients { switch, by_function } = &*self.clients;
        let connect =
            || Aws::new(&unsigned_config(switch.http_client(function), switch.time_source(), self.config), TABLE);
        by_function.borrow_mut().entry(function.to_owned()).or_insert_with(connect).clone()
    }
}

impl Drop for TakenClients<'_> {
    fn drop(&mut self) {
        self.pool.free.borrow_mut().push(Rc::clone(&self.clients));
    }
}
