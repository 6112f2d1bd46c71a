//! The simulated AWS, called with the SDK's own clients, as the steps call it.

mod commands;
mod endpoint;
mod images;
mod instances;
mod invariants;
mod launch;
mod table;
mod targets;
mod traffic;

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::builders::{FilterBuilder, TagSpecificationBuilder};
use aws_sdk_ec2::types::{Filter, InstanceStateName, InstanceType, ResourceType, TagSpecification};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use simulator::faults::Fault;
use simulator::world::{ForeignInstances, Latencies, Range, Subnet, Tag, World};
use simulator::{Caller, Simulator};

const GOLDEN: &str = "ami-0123456789abcdef0";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/appwrite/6d0ecf831eec9f09";
const DOCUMENT: &str = "fleetwright-configure";
const SUBNETS: [&str; 2] = ["subnet-0000000a", "subnet-0000000b"];

/// A fleet of three. Each latency has one value, so that a test knows when each event happens.
fn world() -> World {
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let seconds = |seconds| Range::seconds(seconds, seconds);
    let millis = |millis| Range::millis(millis, millis);
    World {
        seed: 1,
        start: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        region: "eu-central-1".to_owned(),
        account: "111122223333".to_owned(),
        fleet_tag: tag("fleetwright:fleet", "appwrite"),
        load_balancer_tag: tag("role", "appwrite"),
        run_tag_key: "fleetwright:run".to_owned(),
        version_tag_key: "fleetwright:version".to_owned(),
        golden_image: GOLDEN.to_owned(),
        version: "1.3.8".to_owned(),
        image_name: "appwrite-1.3.8".to_owned(),
        members: 3,
        member_type: "t3.large".to_owned(),
        subnets: SUBNETS
            .iter()
            .zip(["eu-central-1a", "eu-central-1b"])
            .map(|(id, zone)| Subnet { id: (*id).to_owned(), zone: zone.to_owned() })
            .collect(),
        security_groups: vec!["sg-0000000a".to_owned()],
        instance_profile: Some("appwrite".to_owned()),
        target_group: GROUP.to_owned(),
        target_port: 80,
        deregistration_delay: Duration::from_secs(60),
        health_check_interval: Duration::from_secs(10),
        healthy_threshold: 5,
        unhealthy_threshold: 2,
        target_quota: 1_000,
        vcpu_quota: 64,
        data: None,
        data_tags: std::collections::BTreeMap::new(),
        foreign_instances: vec![ForeignInstances { count: 2, tags: vec![tag("fleetwright:fleet", "someone-else")] }],
        alarms: vec!["appwrite-cpu".to_owned()],
        cpu_alarms: Vec::new(),
        work: Vec::new(),
        configure_document: DOCUMENT.to_owned(),
        requests_per_second: 50.0,
        table: "fleetwright".to_owned(),
        latencies: Latencies {
            backup: seconds(120),
            launch: seconds(16),
            first_boot: seconds(40),
            boot: seconds(15),
            agent: seconds(50),
            status_checks: seconds(90),
            stop: seconds(30),
            reboot: seconds(25),
            start: seconds(21),
            terminate: seconds(35),
            image: seconds(200),
            command: seconds(150),
            visibility: millis(1_500),
            call: millis(100),
            table_call: millis(8),
            invocation: millis(30),
            long_request: Duration::from_secs(25),
        },
    }
}

/// A simulator and the SDK clients of one function. The clients never retry.
struct Aws {
    simulator: Simulator,
    ec2: aws_sdk_ec2::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    ssm: aws_sdk_ssm::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

fn aws() -> Aws {
    with(world(), vec![])
}

fn with(world: World, faults: Vec<Fault>) -> Aws {
    called(Simulator::new(world, faults), "run-1", "step")
}

/// SDK clients for another caller of the same simulator.
fn called(simulator: Simulator, run: &str, function: &str) -> Aws {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
        .http_client(simulator.http_client(Caller { run: run.to_owned(), function: function.to_owned() }))
        .time_source(simulator.time_source())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::disabled())
        .build();
    Aws {
        ec2: aws_sdk_ec2::Client::new(&config),
        elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
        ssm: aws_sdk_ssm::Client::new(&config),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        simulator,
    }
}

impl Aws {
    /// The ids of the members at the start.
    fn members(&self) -> Vec<String> {
        self.simulator.report().members.into_iter().map(|member| member.id).collect()
    }

    /// Launches `count` instances in the first zone, without a token, and returns their ids.
    async fn launch(&self, count: i32) -> Vec<String> {
        let launch = self.ec2.run_instances().image_id(GOLDEN).instance_type(InstanceType::T3Large);
        let launch = launch.subnet_id(SUBNETS[0]).min_count(count).max_count(count);
        let launched = launch.tag_specifications(tagged(ResourceType::Instance, &[("fleetwright:run", "run-1")]));
        let reservation = launched.send().await.expect("a launch");
        reservation.instances().iter().map(|one| one.instance_id().expect("an id").to_owned()).collect()
    }

    async fn state(&self, id: &str) -> InstanceStateName {
        let answer = self.ec2.describe_instances().instance_ids(id).send().await.expect("a description");
        let state = answer.reservations()[0].instances()[0].state().expect("a state");
        state.name().expect("a name").clone()
    }
}

fn tagged(resource: ResourceType, tags: &[(&str, &str)]) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| aws_sdk_ec2::types::Tag::builder().key(*key).value(*value).build());
    TagSpecificationBuilder::default().resource_type(resource).set_tags(Some(tags.collect())).build()
}

fn filter(name: &str, value: &str) -> Filter {
    FilterBuilder::default().name(name).values(value).build()
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The error code of a refused call.
fn code<O: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(result: Result<O, SdkError<E, R>>) -> String {
    let error = result.expect_err("a refusal");
    error.code().unwrap_or_else(|| panic!("no code in {error:?}")).to_owned()
}
