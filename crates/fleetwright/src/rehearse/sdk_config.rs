//! The SDK configuration of clients that call the simulated AWS.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use fleet::Config;
use simulator::{Caller, Simulator};

/// The SDK configuration with which `caller` calls the simulated AWS, signatures included.
pub fn sdk_config(simulator: &Simulator, config: &Config, caller: Caller) -> SdkConfig {
    let credentials = Credentials::from_keys("AKIDREHEARSAL", "rehearsal", None);
    let unsigned = unsigned_config(simulator.http_client(caller), simulator.time_source(), config);
    unsigned.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

/// The SDK configuration of clients that do not sign. Signing takes a fifth of the time of a simulated call.
pub(super) fn unsigned_config(http: SharedHttpClient, clock: SharedTimeSource, config: &Config) -> SdkConfig {
    let region = config.fleet.subnets.first().map(|subnet| Region::new(subnet.zone.region().to_owned()));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .time_source(clock)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}
