//! Emulators of AWS. The tests install and start them, on free ports of 127.0.0.1.

mod assertions;
mod backups;
mod fleet;
mod ministack;
mod moto;
mod python;
mod server;
mod ssm_endpoint;
mod tests;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;

pub use crate::scratch::{Scratch, file};
pub use crate::until::until;
pub use fleet::{BuiltFleet, build_fleet, configuration, inspect_fleet};
pub use ministack::Ministack;
pub use moto::Moto;
pub use python::{python, sam, without_aws};
pub use ssm_endpoint::{Migration, SsmEndpoint};

/// The emulators' account. Its number is also the access key of its root user, for emulators that check keys.
pub const ACCOUNT: &str = "123456789012";
/// The region of all resources in the emulators.
pub const REGION: &str = "eu-central-1";

/// The configuration of SDK clients that call an emulator.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(ACCOUNT, "test", None)))
        .endpoint_url(endpoint)
        .http_client(Builder::new().build_http())
        .region(Region::from_static(REGION))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build()
}
