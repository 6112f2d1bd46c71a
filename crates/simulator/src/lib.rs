//! The simulated AWS: a model of AWS behind the SDK's HTTP connector, in virtual time.
//!
//! A [`World`] describes what exists at the start, and [`Fault`]s describe what goes wrong. Every call enters at one
//! endpoint. The endpoint draws the call's latency, waits for that long on tokio's clock, and lets all events happen
//! that are due by then. Then a fault, a policy or a token bucket may refuse the call. Otherwise the answer is a
//! function of the state and the time. Nothing changes by itself between calls: events wait in a queue, in the order of
//! time.
//!
//! The simulator is strict where AWS is strict, and refuses what it does not support. An unknown operation, parameter,
//! filter or expression gets the error `Simulator.Unsupported`, and the [`Report`] lists it. The same seed gives the
//! same outcome.

mod buckets;
mod checkpoint;
mod clock;
mod cloudwatch;
mod dice;
mod dynamodb;
mod ec2;
mod elb;
mod endpoint;
mod events;
pub mod faults;
pub mod iam;
mod in_service;
pub mod invariants;
mod journal;
mod load;
pub mod process;
mod rds;
pub mod report;
mod service;
mod setup;
mod ssm;
mod state;
mod traffic;
mod wire;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use clock::Clock;
use endpoint::{Connector, Endpoint};
use faults::Fault;
use iam::{Authorizer, Grant, Permissions};
use invariants::{Settled, Verdict};
use report::{Report, Span};
use state::State;
use world::World;

pub use checkpoint::Checkpoint;
pub use endpoint::EndpointSwitch;

/// A simulated AWS. Clones share its state.
#[derive(Clone, Debug)]
pub struct Simulator {
    endpoint: Endpoint,
    invocations: Arc<AtomicU64>,
}

/// The caller of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The run that the caller acts for. Empty if it acts for none, as an operator's command does.
    pub run: String,
    /// The function that makes the call.
    pub function: String,
}

impl Simulator {
    /// Sets up the world at the start. Call it inside a tokio runtime whose clock is paused.
    #[must_use]
    pub fn new(world: World, faults: Vec<Fault>) -> Simulator {
        let clock = Clock::starting_at(world.start);
        let endpoint = Endpoint::new(clock, State::new(world, faults));
        Simulator { endpoint, invocations: Arc::default() }
    }

    /// Enforces `permissions`: every other call is denied. Without this, all calls are allowed.
    #[must_use]
    pub fn under(self, permissions: impl Into<Arc<Permissions>>) -> Simulator {
        self.endpoint.state().authorizer = Authorizer::new(permissions.into());
        self
    }

    /// The grants that have allowed a call so far.
    #[must_use]
    pub fn grants_used(&self) -> BTreeSet<Grant> {
        self.endpoint.state().authorizer.used()
    }

    /// A fork in which all calls are allowed, to observe the state. Changes in the fork do not affect this simulator.
    #[must_use]
    pub fn fork_allowing_all(&self) -> Simulator {
        let fork = self.fork();
        fork.endpoint.state().authorizer = Authorizer::default();
        fork
    }

    /// A second simulator with the present state. From now on the two are independent.
    #[must_use]
    pub fn fork(&self) -> Simulator {
        self.checkpoint().resume_on(self.endpoint.clock)
    }

    /// The HTTP client that a function's SDK clients use.
    #[must_use]
    pub fn http_client(&self, caller: Caller) -> SharedHttpClient {
        SharedHttpClient::new(Connector { endpoint: self.endpoint.clone(), caller: Arc::new(caller) })
    }

    /// The virtual wall clock, for the SDK.
    #[must_use]
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(self.endpoint.clock)
    }

    /// The virtual wall time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.endpoint.clock.now()
    }

    /// Waits for the latency that one Lambda invocation adds.
    pub async fn invocation(&self) {
        let ordinal = self.invocations.fetch_add(1, Ordering::Relaxed);
        let latency = {
            let state = self.endpoint.state();
            state.dice.latency("invocation", ordinal, state.world.latencies.invocation)
        };
        tokio::time::sleep(latency).await;
    }

    /// What has happened so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.endpoint.state().report()
    }

    /// How many times each operation was called so far, refused calls included.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.endpoint.state().journal.calls()
    }

    /// The requests so far that the simulator does not support.
    #[must_use]
    pub fn unsupported(&self) -> Vec<String> {
        self.endpoint.state().journal.unsupported.iter().cloned().collect()
    }

    /// The items of the DynamoDB table in the order of their keys, in DynamoDB JSON.
    #[must_use]
    pub fn items(&self) -> Vec<serde_json::Value> {
        self.endpoint.state().table.dump()
    }

    /// The physical limit: the longest chain of latencies, each of which begins at or after the end of the one before.
    /// `extra` adds latencies to those that were drawn.
    #[must_use]
    pub fn limit(&self, extra: &[Span]) -> Duration {
        report::heaviest_chain(self.endpoint.state().spans.iter().chain(extra))
    }

    /// From now on, this many members must be in service. Without this, as many as at the start must be.
    pub fn require_in_service(&self, members: u32) {
        let mut state = self.endpoint.state();
        let now = state.now;
        state.in_service.require(now, members);
    }

    /// Checks the invariants of an ended run, after everything that is still in progress has ended.
    #[must_use]
    pub fn check(&self, settled: &Settled) -> Verdict {
        let mut state = self.endpoint.state().clone();
        let settling = state.world.deregistration_delay + state.world.latencies.terminate.high;
        let later = state.now + settling + SLACK;
        state.advance(later);
        state.check(settled)
    }
}

/// Added to the longest draining and the longest termination, one after the other.
const SLACK: Duration = Duration::from_secs(1);
