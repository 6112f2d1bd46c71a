//! An upgrade whose every call goes through the proxy, with all its waits skipped.
//!
//! The state machine and the steps' own clock are in virtual time, in which hours pass in no time. A call is made in
//! real time, during which virtual time stands still: sockets and the SDK's time-outs know no other.

use super::{Emulators, Proxy};
use crate::emulators::{BuiltFleet, Migration, Moto, SsmEndpoint, sdk_config};
use asl::{Execution, Failure, Finished, Limits, Resources, StateMachine, Task};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use fleet::FleetRecord;
use fleetwright::Definition;
use fleetwright::lambda::{invoke, invoked};
use fleetwright::rehearse::{self, START};
use functions::{Aws, Step};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::faults::Fault;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The run that an upgrade is.
pub const RUN: &str = "run-1";
/// The version that it upgrades to.
pub const TO: &str = "1.4.14";
/// How long the SDK waits for an answer: longer than moto takes for one.
pub const PATIENCE: Duration = Duration::from_millis(500);

const TABLE: &str = "fleetwright";

/// A fleet on emulators, and the proxy before them.
pub struct Fixture {
    pub fleet: BuiltFleet,
    pub proxy: Proxy,
    pub ssm: SsmEndpoint,
    moto: Moto,
}

impl Fixture {
    pub fn set(faults: &[Fault]) -> Self {
        let moto = Moto::start();
        let fleet = BuiltFleet::on(&moto, "appwrite");
        let ssm = SsmEndpoint::start(Migration::Succeeds);
        let proxy = Proxy::start(Emulators { ssm: ssm.endpoint(), others: moto.endpoint() }, faults);
        Self { fleet, proxy, ssm, moto }
    }

    /// Runs the deployed definition with the very steps, from the first instant to its end.
    pub fn upgrade(&self) -> Finished {
        let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
        let arn = |kind: &str, id: &str| format!("arn:aws:states:eu-central-1:123456789012:{kind}:{id}");
        let execution = Execution {
            name: RUN.to_owned(),
            id: arn("execution", &format!("fleetwright-upgrade:{RUN}")),
            role: "arn:aws:iam::123456789012:role/fleetwright-upgrade".to_owned(),
            state_machine: "fleetwright-upgrade".to_owned(),
            state_machine_id: arn("stateMachine", "fleetwright-upgrade"),
            input: json!({"fleet": self.fleet.id("fleet"), "to": TO}),
            started: START,
            limits: Limits::default(),
        };
        let direct = Aws::new(&sdk_config(&self.moto.endpoint()), TABLE);
        let record = FleetRecord::new(self.fleet.config());
        assert!(self.proxy.runtime().block_on(direct.ledger().create_fleet(&record)).unwrap());
        let patient = TimeoutConfig::builder().read_timeout(PATIENCE).build();
        let config = sdk_config(&self.proxy.endpoint()).into_builder().timeout_config(patient).build();
        let run = async {
            let clock = Clock { start: START.into(), passed: Arc::default() };
            let real = self.proxy.runtime().clone();
            let functions = InRealTime { config, real, clock, began: Instant::now() };
            asl::run(&machine, execution, &functions, &mut |_| {}).await
        };
        rehearse::in_virtual_time(run).unwrap()
    }
}

/// The functions, each invocation of which is made in real time.
struct InRealTime {
    config: SdkConfig,
    real: Handle,
    clock: Clock,
    began: Instant,
}

impl Resources for InRealTime {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            *self.clock.passed.lock().unwrap() = self.began.elapsed();
            let place = AppName::new(rehearse::place(&task.state)).unwrap();
            let clock = SharedTimeSource::new(self.clock.clone());
            let config = self.config.to_builder().app_name(place).time_source(clock).build();
            let step = invoked(&task)?;
            let invocation = invocation(step, Aws::new(&config, TABLE), task.input["Payload"].clone());
            let real = self.real.clone();
            // Virtual time stands still while a thread is blocked.
            tokio::task::spawn_blocking(move || real.block_on(invocation)).await.unwrap()
        })
    }
}

async fn invocation(step: &Step, aws: Aws, payload: Value) -> Result<Value, Failure> {
    let answer = invoke(step, &aws, payload).await;
    if step.name == "configure" && answer.as_ref().is_err_and(|failure| failure.error == "NotYet") {
        // The script runs in real time, and does not say when it is done.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    answer
}

/// Virtual time as the threads of real time see it.
#[derive(Clone, Debug)]
struct Clock {
    start: SystemTime,
    passed: Arc<Mutex<Duration>>,
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.start + *self.passed.lock().unwrap()
    }
}
