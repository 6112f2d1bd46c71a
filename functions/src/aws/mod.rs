//! AWS as the steps use it: one concrete struct of SDK clients, and the helpers that hide pages and batches.
//!
//! The seam is the wire: production, a rehearsal and an emulator differ in the `SdkConfig` alone.

mod commands;
mod error;
mod images;
mod instances;
mod launch;
mod targets;

pub use commands::CommandState;
pub use error::{CallError, Named};
pub use images::ImageState;
pub use instances::{Instance, InstanceState};
pub use launch::LaunchOrder;
pub use targets::Health;

use crate::ledger::Ledger;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use jiff::Timestamp;

/// The clients of one function.
#[derive(Debug, Clone)]
pub struct Aws {
    ec2: aws_sdk_ec2::Client,
    load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    ssm: aws_sdk_ssm::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    ledger: Ledger,
    clock: SharedTimeSource,
}

impl Aws {
    /// The clients that `config` describes, and the ledger in `table`.
    ///
    /// The SDK's own retries are off: retrying is the state machine's, where it is seen, counted and the same in a
    /// rehearsal, and where no call that makes something is repeated without its token or name being looked at first.
    pub fn new(config: &SdkConfig, table: &str) -> Self {
        let config = config.to_builder().retry_config(RetryConfig::disabled()).build();
        Self {
            ec2: aws_sdk_ec2::Client::new(&config),
            load_balancing: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            ledger: Ledger::new(aws_sdk_dynamodb::Client::new(&config), table),
            clock: config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time by the configuration's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }

    /// The names of those of `alarms` that are in ALARM.
    ///
    /// # Errors
    /// Whatever CloudWatch answers; an alarm that does not exist is reported as in ALARM, since nobody watches then.
    pub async fn alarming(&self, alarms: &[String]) -> Result<Vec<String>, CallError> {
        if alarms.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.cloudwatch.describe_alarms().set_alarm_names(Some(alarms.to_vec())).send().await;
        let answer = answer.of("DescribeAlarms")?;
        let quiet = |name: &String| {
            let alarm = answer.metric_alarms().iter().find(|alarm| alarm.alarm_name() == Some(name));
            alarm.is_some_and(|alarm| alarm.state_value() != Some(&aws_sdk_cloudwatch::types::StateValue::Alarm))
        };
        Ok(alarms.iter().filter(|name| !quiet(name)).cloned().collect())
    }
}
