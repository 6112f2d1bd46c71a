//! AWS as the steps use it: one concrete struct of SDK clients, and the helpers that hide pages and batches.
//!
//! The seam is the wire: production, a rehearsal and an emulator differ in the `SdkConfig` alone.

mod backups;
mod commands;
mod error;
mod images;
mod instances;
mod launch;
mod metrics;
mod targets;
mod unsigned;

pub use backups::Progress;
pub use commands::CommandState;
pub use error::{CallError, Named};
pub use images::{Image, ImageState};
pub use instances::{Instance, InstanceState};
pub use launch::LaunchOrder;
pub use targets::TargetHealth;

use crate::ledger::Ledger;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use fleet::{RaisedAlarm, StackScope};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The clients of one function.
#[derive(Debug, Clone)]
pub struct Aws {
    ec2: aws_sdk_ec2::Client,
    load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    ssm: aws_sdk_ssm::Client,
    rds: aws_sdk_rds::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    ledger: Ledger,
    clock: SharedTimeSource,
    reach: Option<StackScope>,
}

impl Aws {
    /// The clients that `config` describes, and the ledger in `table`.
    ///
    /// The SDK's own retries are off: retrying is the state machine's, where it is seen, counted and the same in a
    /// rehearsal, and where no call that makes something is repeated without its token or name being looked at first.
    ///
    /// Without a provider of credentials nothing is signed: a rehearsal's AWS looks at no signature.
    pub fn new(config: &SdkConfig, table: &str) -> Self {
        let config = config.to_builder().retry_config(RetryConfig::disabled()).build();
        let unsigned = config.credentials_provider().is_none();
        macro_rules! client {
            ($sdk:ident) => {{
                let mut builder = $sdk::config::Builder::from(&config);
                if unsigned {
                    builder.set_allow_no_auth();
                    builder.push_interceptor(SharedInterceptor::permanent(unsigned::Plain));
                }
                $sdk::Client::from_conf(builder.build())
            }};
        }
        Self {
            ec2: client!(aws_sdk_ec2),
            load_balancing: client!(aws_sdk_elasticloadbalancingv2),
            ssm: client!(aws_sdk_ssm),
            rds: client!(aws_sdk_rds),
            cloudwatch: client!(aws_sdk_cloudwatch),
            ledger: Ledger::new(client!(aws_sdk_dynamodb), table),
            clock: config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
            reach: None,
        }
    }

    /// The same, in a stack that may touch no more than this.
    pub fn within(self, reach: StackScope) -> Self {
        Self { reach: Some(reach), ..self }
    }

    /// What the stack may touch, if that is known.
    pub(crate) fn reach(&self) -> Option<&StackScope> {
        self.reach.as_ref()
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time by the configuration's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }

    /// The first of `alarms` that is in ALARM, or that does not exist, so that nobody watches; metric alarms and
    /// composite ones.
    ///
    /// # Errors
    /// Whatever CloudWatch answers.
    pub async fn first_raised_alarm(&self, alarms: &[String]) -> Result<Option<RaisedAlarm>, CallError> {
        for batch in alarms.chunks(ALARMS) {
            let call = self.cloudwatch.describe_alarms().set_alarm_names(Some(batch.to_vec())).max_records(100);
            let call = call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
            let answer = call.send().await.of("DescribeAlarms")?;
            let metric = answer.metric_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
            let composite = answer.composite_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
            let found: BTreeMap<_, _> = metric.chain(composite).collect();
            for name in batch {
                let problem = match found.get(&Some(name.as_str())) {
                    None => "does not exist",
                    Some(Some(StateValue::Alarm)) => "is in ALARM",
                    Some(_) => continue,
                };
                return Ok(Some(RaisedAlarm { name: name.clone(), problem: problem.to_owned() }));
            }
        }
        Ok(None)
    }
}

/// At most so many alarms are named in one DescribeAlarms.
const ALARMS: usize = 100;
