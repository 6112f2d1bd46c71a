//! Tests of the proxy itself.

use super::{Call, Emulators, Proxy, Service};
use crate::emulators::{Moto, sdk_config, until};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::Filter;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use simulator::faults::{Fault, WorldFault};
use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::Duration;

/// Addresses where nothing listens, so that a forwarded call fails.
fn unreachable_emulators() -> Emulators {
    Emulators { ssm: "http://127.0.0.1:1".to_owned(), others: "http://127.0.0.1:1".to_owned() }
}

/// One server for all tests. Each test creates VPCs with address ranges of its own.
fn moto() -> &'static str {
    static MOTO: OnceLock<(Moto, String)> = OnceLock::new();
    let (_, endpoint) = MOTO.get_or_init(|| {
        let moto = Moto::start();
        let endpoint = moto.endpoint();
        (moto, endpoint)
    });
    endpoint
}

fn proxy(faults: &[Fault]) -> Proxy {
    Proxy::start(Emulators { others: moto().to_owned(), ..unreachable_emulators() }, faults)
}

/// The configuration of a caller without retries and without time-outs.
fn caller(proxy: &Proxy, place: &str) -> SdkConfig {
    let config = sdk_config(&proxy.endpoint()).into_builder().retry_config(RetryConfig::disabled());
    config.app_name(AppName::new(place.to_owned()).unwrap()).build()
}

/// Creates a VPC. Returns its id, or an error as [`describe`] puts it.
fn create_vpc(proxy: &Proxy, place: &str, address: &str) -> Result<String, String> {
    let ec2 = Client::new(&caller(proxy, place));
    let answer = proxy.runtime().block_on(ec2.create_vpc().cidr_block(address).send());
    answer.map(|made| made.vpc().unwrap().vpc_id().unwrap().to_owned()).map_err(describe)
}

/// The ids of the VPCs with this address range, read from moto without the proxy.
fn vpcs(proxy: &Proxy, address: &str) -> Vec<String> {
    let ec2 = Client::new(&sdk_config(moto()));
    let of_address = Filter::builder().name("cidr").values(address).build();
    let answer = proxy.runtime().block_on(ec2.describe_vpcs().filters(of_address).send()).unwrap();
    answer.vpcs().iter().map(|vpc| vpc.vpc_id().unwrap().to_owned()).collect()
}

/// The status and the code of AWS's error, `too late` for a time-out, or `no answer`.
fn describe<E: ProvideErrorMetadata + Debug>(error: SdkError<E, HttpResponse>) -> String {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (error.code(), &error) {
        (Some(code), _) => format!("{} {code}", status.unwrap()),
        (None, SdkError::DispatchFailure(failure)) if failure.is_timeout() => "too late".to_owned(),
        (None, SdkError::DispatchFailure(_)) => "no answer".to_owned(),
        (None, error) => panic!("{error:?}"),
    }
}

#[test]
fn a_call_without_a_fault_passes() {
    let proxy = proxy(&[]);
    let id = create_vpc(&proxy, "somewhere", "10.1.0.0/16").unwrap();
    assert_eq!(vpcs(&proxy, "10.1.0.0/16"), [id]);
    let seen = Call { place: "somewhere".to_owned(), service: Service::Ec2, operation: "CreateVpc".to_owned() };
    assert_eq!(proxy.calls(), [seen]);
    proxy.assert_struck(&[]);
}

#[test]
fn an_answer_is_lost_after_the_effect_and_the_call_is_made_once() {
    let faults = [Fault::on("CreateVpc").nth(2).answer_lost()];
    let proxy = proxy(&faults);
    create_vpc(&proxy, "a", "10.2.0.0/16").unwrap();
    // This client reuses the connection of an earlier call, which it might take for a stale one and retry.
    let ec2 = Client::new(&caller(&proxy, "a"));
    proxy.runtime().block_on(ec2.describe_vpcs().send()).unwrap();
    let lost = proxy.runtime().block_on(ec2.create_vpc().cidr_block("10.3.0.0/16").send());
    assert_eq!(lost.map(drop).map_err(describe), Err("no answer".to_owned()));
    assert_eq!(vpcs(&proxy, "10.3.0.0/16").len(), 1);
    assert_eq!(proxy.calls().len(), 3);
    proxy.assert_struck(&faults);
}

#[test]
fn an_answer_is_late_after_the_effect() {
    let faults = [
        Fault::on("CreateVpc").slow(Duration::from_millis(20)),
        Fault::on("CreateVpc").nth(2).slow(Duration::from_secs(3_600)),
    ];
    let proxy = proxy(&faults);
    create_vpc(&proxy, "a", "10.4.0.0/16").unwrap();
    let short_timeout = TimeoutConfig::builder().read_timeout(Duration::from_millis(500)).build();
    let ec2 = Client::new(&caller(&proxy, "a").into_builder().timeout_config(short_timeout).build());
    let late = proxy.runtime().block_on(ec2.create_vpc().cidr_block("10.5.0.0/16").send());
    assert_eq!(late.map(drop).map_err(describe), Err("too late".to_owned()));
    // On a busy computer moto can take longer than the caller's time-out by itself.
    let made = until("the VPC exists", || Some(vpcs(&proxy, "10.5.0.0/16")).filter(|made| !made.is_empty()));
    assert_eq!(made.len(), 1);
    proxy.assert_struck(&faults);
}

#[test]
fn a_failed_call_has_no_effect_and_calls_from_other_places_pass() {
    let faults = [Fault::on("CreateVpc").at("b").throttle(), Fault::on("CreateVpc").at("b").nth(2).error("VpcLimit")];
    let proxy = proxy(&faults);
    create_vpc(&proxy, "a", "10.6.0.0/16").unwrap();
    assert_eq!(create_vpc(&proxy, "b", "10.7.0.0/16"), Err("503 RequestLimitExceeded".to_owned()));
    assert_eq!(create_vpc(&proxy, "b", "10.7.0.0/16"), Err("400 VpcLimit".to_owned()));
    assert_eq!(vpcs(&proxy, "10.7.0.0/16"), Vec::<String>::new());
    create_vpc(&proxy, "b", "10.7.0.0/16").unwrap();
    proxy.assert_struck(&faults);
}

#[test]
fn the_sdk_reads_the_error_responses_of_each_service() {
    let operations = ["DescribeVpcs", "DescribeTargetGroups", "ListCommands", "DescribeAlarms", "ListTables"];
    let services =
        [Service::Ec2, Service::LoadBalancing, Service::SystemsManager, Service::CloudWatch, Service::DynamoDb];
    let internal_error =
        |(operation, service): (&&str, Service)| Fault::on(operation).nth(2).error(service.internal_error());
    let mut faults: Vec<_> = operations.iter().map(|operation| Fault::on(operation).throttle()).collect();
    faults.extend(operations.iter().zip(services).map(internal_error));
    let proxy = Proxy::start(unreachable_emulators(), &faults);
    let config = caller(&proxy, "a");
    let [throttled, failed] = [(); 2].map(|()| {
        proxy.runtime().block_on(async {
            [
                Client::new(&config).describe_vpcs().send().await.map_err(describe).unwrap_err(),
                aws_sdk_elasticloadbalancingv2::Client::new(&config)
                    .describe_target_groups()
                    .send()
                    .await
                    .map_err(describe)
                    .unwrap_err(),
                aws_sdk_ssm::Client::new(&config).list_commands().send().await.map_err(describe).unwrap_err(),
                aws_sdk_cloudwatch::Client::new(&config).describe_alarms().send().await.map_err(describe).unwrap_err(),
                aws_sdk_dynamodb::Client::new(&config).list_tables().send().await.map_err(describe).unwrap_err(),
            ]
        })
    });
    assert_eq!(
        throttled,
        [
            "503 RequestLimitExceeded",
            "400 Throttling",
            "400 ThrottlingException",
            "400 ThrottlingException",
            "400 ThrottlingException"
        ]
    );
    assert_eq!(
        failed,
        [
            "500 InternalError",
            "500 InternalFailure",
            "500 InternalServerError",
            "500 InternalServiceFault",
            "500 InternalServerError"
        ]
    );
    assert_eq!(proxy.calls().iter().map(|call| call.service).collect::<Vec<_>>(), [services, services].concat());
    proxy.assert_struck(&faults);
}

#[test]
#[should_panic(expected = "these found no call: [\n    \"CreateImage #1: throttle\"")]
fn a_fault_without_a_matching_call_fails_the_test() {
    let faults = [Fault::on("CreateImage").throttle()];
    let proxy = Proxy::start(unreachable_emulators(), &faults);
    proxy.assert_struck(&faults);
}

#[test]
#[should_panic(expected = "got no answer from http://127.0.0.1:1")]
fn a_call_that_cannot_be_forwarded_fails_the_test() {
    let proxy = Proxy::start(unreachable_emulators(), &[]);
    proxy.runtime().block_on(Client::new(&caller(&proxy, "a")).describe_vpcs().send()).unwrap_err();
    proxy.assert_struck(&[]);
}

#[test]
#[should_panic(expected = "a proxy cannot do this: CreateImage #1: crash before")]
fn a_fault_of_a_process_panics() {
    Proxy::start(unreachable_emulators(), &[Fault::on("CreateImage").crash_before()]);
}

#[test]
#[should_panic(expected = "a proxy cannot do this: image fails")]
fn a_world_fault_panics() {
    Proxy::start(unreachable_emulators(), &[Fault::world(WorldFault::ImageFails)]);
}
