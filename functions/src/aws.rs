//! AWS as the steps use it: one concrete struct of SDK clients, and helpers that hide pages and batches.
//!
//! The seam is the wire: production, a rehearsal and an emulator differ only in the `SdkConfig`.

mod alarms;
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
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use fleet::StackScope;
use jiff::Timestamp;

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
    scope: Option<StackScope>,
}

impl Aws {
    /// The clients that `config` describes, and the ledger in `table`.
    ///
    /// The SDK's own retries are off: the state machine retries, where retries are visible, counted and the same in a
    /// rehearsal. There, no call that creates something is repeated before a step has searched for its token or name.
    ///
    /// Without a credentials provider, calls are not signed: the simulated AWS does not check signatures.
    pub fn new(config: &SdkConfig, table: &str) -> Self {
        let config = config.to_builder().retry_config(RetryConfig::disabled()).build();
        let unsigned = config.credentials_provider().is_none();
        macro_rules! client {
            ($sdk:ident) => {{
                let mut builder = $sdk::config::Builder::from(&config);
                if unsigned {
                    builder.set_allow_no_auth();
                    builder.push_interceptor(SharedInterceptor::permanent(unsigned::WithoutSdkHeaders));
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
            scope: None,
        }
    }

    /// The same, in a stack that may change nothing outside `scope`.
    pub fn within(self, scope: StackScope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// What the stack may change, if that is known.
    pub(crate) fn scope(&self) -> Option<&StackScope> {
        self.scope.as_ref()
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time on the configuration's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }
}
