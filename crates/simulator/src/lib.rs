//! AWS as the steps see it: behind the SDK's HTTP connector, in virtual time.
//!
//! A [`World`] says what exists at the first instant, [`Fault`]s what goes wrong. From then on every call passes one
//! endpoint: it draws the call's latency and waits it out on tokio's clock, lets everything happen that is due by then,
//! lets a fault or a rate bucket speak, and else evaluates the call as a function of the world and the time. Nothing
//! moves by itself between calls; what is due waits in a queue, in order.
//!
//! It is strict where AWS is strict, and refuses what it does not imitate: an unknown operation, parameter, filter or
//! expression is answered with the error `Simulator.Unsupported` and listed in the [`Report`]. One seed, one outcome.

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

/// A simulated AWS. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Simulator {
    endpoint: Endpoint,
    invocations: Arc<AtomicU64>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The run on whose behalf; empty for one that is no run, such as a person who looks.
    pub run: String,
    /// The function that calls.
    pub function: String,
}

impl Simulator {
    /// Sets up the world. Call it inside a tokio runtime whose clock is paused.
    #[must_use]
    pub fn new(world: World, faults: Vec<Fault>) -> Simulator {
        let clock = Clock::starting_at(world.start);
        let endpoint = Endpoint::new(clock, State::new(world, faults));
        Simulator { endpoint, invocations: Arc::default() }
    }

    /// The same, in which callers may do what `permissions` say and nothing else; without it everyone may everything.
    #[must_use]
    pub fn under(self, permissions: impl Into<Arc<Permissions>>) -> Simulator {
        self.endpoint.state().authorizer = Authorizer::new(permissions.into());
        self
    }

    /// The grants that calls made use of so far.
    #[must_use]
    pub fn grants_used(&self) -> BTreeSet<Grant> {
        self.endpoint.state().authorizer.used()
    }

    /// The same world for one who only looks, and to whom everything is allowed. What is done here changes nothing there.
    #[must_use]
    pub fn fork_allowing_all(&self) -> Simulator {
        let fork = self.fork();
        fork.endpoint.state().authorizer = Authorizer::default();
        fork
    }

    /// Another world, which is as this one is now and goes its own way from here.
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

    /// Waits out what one Lambda invocation adds.
    pub async fn invocation(&self) {
        let ordinal = self.invocations.fetch_add(1, Ordering::Relaxed);
        let latency = {
            let state = self.endpoint.state();
            state.dice.latency("invocation", ordinal, state.world.latencies.invocation)
        };
        tokio::time::sleep(latency).await;
    }

    /// What the rehearsal came to so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.endpoint.state().report()
    }

    /// How often each operation was called so far, refused calls included.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.endpoint.state().journal.calls()
    }

    /// What was asked that the simulator does not imitate.
    #[must_use]
    pub fn unsupported(&self) -> Vec<String> {
        self.endpoint.state().journal.unsupported.iter().cloned().collect()
    }

    /// The items of the DynamoDB table in the order of their keys, in DynamoDB's own JSON.
    #[must_use]
    pub fn items(&self) -> Vec<serde_json::Value> {
        self.endpoint.state().table.dump()
    }

    /// The physical limit: the heaviest chain of latencies, drawn and `extra`, each beginning at or after the end of
    /// the one before.
    #[must_use]
    pub fn limit(&self, extra: &[Span]) -> Duration {
        report::heaviest_chain(self.endpoint.state().spans.iter().chain(extra))
    }

    /// Lets fewer be in service from now on than at the first instant: so many are wanted by whoever takes members out.
    pub fn require_in_service(&self, members: u32) {
        let mut state = self.endpoint.state();
        let now = state.now;
        state.in_service.require(now, members);
    }

    /// Whether the invariants hold, once everything that is still under way has come to its end.
    #[must_use]
    pub fn check(&self, settled: &Settled) -> Verdict {
        let mut state = self.endpoint.state().clone();
        let settling = state.world.deregistration_delay + state.world.latencies.terminate.high;
        let later = state.now + settling + SLACK;
        state.advance(later);
        state.check(settled)
    }
}

/// Beyond the longest draining and the longest termination, one after the other.
const SLACK: Duration = Duration::from_secs(1);
