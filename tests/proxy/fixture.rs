//! An upgrade that makes all its calls through the proxy and skips its waits.
//!
//! The state machine and the clock of the steps use virtual time, in which hours pass at once. Calls take real time,
//! because sockets and the SDK's time-outs need it. Virtual time stands still during a call.

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

/// The upgrade's run.
pub const RUN: &str = "run-1";
/// The version to upgrade to.
pub const TO: &str = "1.4.14";
/// The time that the SDK waits for an answer. moto needs less for any answer.
pub const PATIENCE: Duration = Duration::from_millis(500);

const TABLE: &str = "fleetwright";

/// A fleet on emulators, and the proxy in front of them.
pub struct Fixture {
    pub fleet: BuiltFleet,
    pub proxy: Proxy,
    pub ssm: SsmEndpoint,
    moto: Moto,
}

impl Fixture {
    pub fn new(faults: &[Fault]) -> Self {
        let moto = Moto::start();
        let fleet = BuiltFleet::on(&moto, "appwrite");
        let ssm = SsmEndpoint::start(Migration::Succeeds);
        let proxy = Proxy::start(Emulators { ssm: ssm.endpoint(), others: moto.endpoint() }, faults);
        Self { fleet, proxy, ssm, moto }
    }

    /// Runs the deployed definition with the deployed steps, from begin to end.
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
            let real_time = self.proxy.runtime().clone();
            let functions = InRealTime { config, real_time, clock, began: Instant::now() };
            asl::run(&machine, execution, &functions, &mut |_| {}).await
        };
        rehearse::in_virtual_time(run).unwrap()
    }
}

/// The functions. Each invocation takes real time.
struct InRealTime {
    config: SdkConfig,
    real_time: Handle,
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
            let real_time = self.real_time.clone();
            // Virtual time stands still while a thread is blocked.
            tokio::task::spawn_blocking(move || real_time.block_on(invocation)).await.unwrap()
        })
    }
}

async fn invocation(step: &Step, aws: Aws, payload: Value) -> Result<Value, Failure> {
    let answer = invoke(step, &aws, payload).await;
    if step.name == "configure" && answer.as_ref().is_err_and(|failure| failure.error == "NotYet") {
        // The script runs in real time, so a poll has to wait for it in real time.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    answer
}

/// Virtual time for the threads that run in real time.
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
