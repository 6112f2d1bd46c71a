use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{InstanceMetadataOptionsRequest, InstanceType, ResourceType, RunInstancesMonitoringEnabled};
use simulator::faults::{Fault, WorldFault};

use super::{Aws, GOLDEN, SUBNETS, aws, code, filter, tagged, with, world};

fn launch(aws: &Aws, token: &str, subnet: &str, count: i32) -> RunInstancesFluentBuilder {
    let launch = aws.ec2.run_instances().image_id(GOLDEN).instance_type(InstanceType::T3Large);
    launch.client_token(token).subnet_id(subnet).min_count(1).max_count(count)
}

async fn ids(launch: RunInstancesFluentBuilder) -> Vec<String> {
    let answer = launch.send().await.unwrap();
    answer.instances().iter().map(|instance| instance.instance_id().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_same_token_launches_once() {
    let aws = aws();
    let first = ids(launch(&aws, "token", SUBNETS[0], 2)).await;
    let second = ids(launch(&aws, "token", SUBNETS[0], 2)).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first, second);
    assert_eq!(aws.simulator.report().instances.len(), 3 + 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_token_with_other_parameters_is_refused() {
    let aws = aws();
    ids(launch(&aws, "token", SUBNETS[0], 2)).await;
    assert_eq!(code(launch(&aws, "token", SUBNETS[0], 3).send().await), "IdempotentParameterMismatch");
    assert_eq!(aws.simulator.report().instances.len(), 3 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_valid_in_one_zone_only() {
    let aws = aws();
    let first = ids(launch(&aws, "token", SUBNETS[0], 1)).await;
    let second = ids(launch(&aws, "token", SUBNETS[1], 1)).await;
    assert_ne!(first, second);
}

#[tokio::test(start_paused = true)]
async fn a_launch_has_all_parameters_of_its_request() {
    let aws = aws();
    let instance = launch(&aws, "token", SUBNETS[1], 1)
        .security_group_ids("sg-0000000a")
        .iam_instance_profile(aws_sdk_ec2::types::IamInstanceProfileSpecification::builder().name("appwrite").build())
        .metadata_options(
            InstanceMetadataOptionsRequest::builder()
                .http_tokens("required".into())
                .http_put_response_hop_limit(2)
                .build(),
        )
        .monitoring(RunInstancesMonitoringEnabled::builder().enabled(true).build())
        .instance_initiated_shutdown_behavior("terminate".into())
        .tag_specifications(tagged(ResourceType::Instance, &[("fleetwright:run", "run-1")]))
        .tag_specifications(tagged(ResourceType::Volume, &[("fleetwright:run", "run-1")]))
        .send()
        .await
        .unwrap()
        .instances()[0]
        .clone();
    assert_eq!(instance.image_id(), Some(GOLDEN));
    assert_eq!(instance.instance_type(), Some(&InstanceType::T3Large));
    assert_eq!(instance.placement().unwrap().availability_zone(), Some("eu-central-1b"));
    assert_eq!(instance.subnet_id(), Some(SUBNETS[1]));
    assert_eq!(instance.client_token(), Some("token"));
    assert_eq!(instance.state().unwrap().code(), Some(0));
    assert_eq!(instance.security_groups()[0].group_id(), Some("sg-0000000a"));
    assert_eq!(instance.tags()[0].key(), Some("fleetwright:run"));
    assert_eq!(instance.launch_time().unwrap().secs(), 1_800_000_000);
    assert!(instance.iam_instance_profile().unwrap().arn().unwrap().ends_with(":instance-profile/appwrite"));
}

#[tokio::test(start_paused = true)]
async fn a_launch_with_missing_or_invalid_parameters_is_refused() {
    let aws = aws();
    let plain = || launch(&aws, "token", SUBNETS[0], 1);
    assert_eq!(code(plain().image_id("ami-0000000000000000f").send().await), "InvalidAMIID.NotFound");
    assert_eq!(code(plain().image_id("golden").send().await), "InvalidAMIID.Malformed");
    assert_eq!(code(plain().subnet_id("subnet-0000000c").send().await), "InvalidSubnetID.NotFound");
    // Launches are rate-limited.
    super::seconds(3).await;
    assert_eq!(code(plain().security_group_ids("sg-0000000b").send().await), "InvalidGroup.NotFound");
    assert_eq!(code(plain().instance_type("t3.huge".into()).send().await), "InvalidParameterValue");
    assert_eq!(code(plain().client_token("t".repeat(65)).send().await), "InvalidParameterValue");
    assert_eq!(code(plain().min_count(2).max_count(1).send().await), "InvalidParameterValue");
    assert_eq!(aws.simulator.report().instances.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_launch_gets_as_many_instances_as_the_quota_allows_or_none() {
    // Three members and two foreign instances, of two vCPUs each, leave room for three more.
    let mut world = world();
    world.vcpu_quota = 16;
    let aws = with(world, vec![]);
    assert_eq!(code(launch(&aws, "a", SUBNETS[0], 4).min_count(4).send().await), "VcpuLimitExceeded");
    assert_eq!(ids(launch(&aws, "b", SUBNETS[0], 4)).await.len(), 3);
    assert_eq!(code(launch(&aws, "c", SUBNETS[0], 1).send().await), "VcpuLimitExceeded");
}

#[tokio::test(start_paused = true)]
async fn a_zone_without_capacity_launches_nothing_and_another_zone_does() {
    let dry = WorldFault::NoCapacity { zone: Some("eu-central-1a".to_owned()), instance_type: None };
    let aws = with(world(), vec![Fault::world(dry)]);
    assert_eq!(code(launch(&aws, "token", SUBNETS[0], 1).send().await), "InsufficientInstanceCapacity");
    assert_eq!(ids(launch(&aws, "token", SUBNETS[1], 1)).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_impaired_instance_runs_but_neither_reports_nor_passes_its_checks() {
    let aws = with(world(), vec![Fault::world(WorldFault::ImpairedInstance { nth: 2 })]);
    let launched = ids(launch(&aws, "token", SUBNETS[0], 2)).await;
    super::seconds(200).await;
    let answer = aws.ec2.describe_instance_status().set_instance_ids(Some(launched.clone())).send().await.unwrap();
    let statuses: Vec<&str> = answer
        .instance_statuses()
        .iter()
        .map(|one| one.instance_status().unwrap().status().unwrap().as_str())
        .collect();
    assert_eq!(statuses, ["ok", "impaired"]);
    let agents = aws.ssm.describe_instance_information().send().await.unwrap();
    let reporting: Vec<&str> = agents.instance_information_list().iter().filter_map(|one| one.instance_id()).collect();
    assert!(reporting.contains(&launched[0].as_str()));
    assert!(!reporting.contains(&launched[1].as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_describe_call_does_not_show_a_new_instance_at_once() {
    let aws = aws();
    let launched = aws.launch(1).await;
    let by_id = || aws.ec2.describe_instances().instance_ids(&launched[0]).send();
    let by_tag = || aws.ec2.describe_instances().filters(filter("tag:fleetwright:run", "run-1")).send();
    assert_eq!(code(by_id().await), "InvalidInstanceID.NotFound");
    assert!(by_tag().await.unwrap().reservations().is_empty());
    super::seconds(2).await;
    assert_eq!(by_id().await.unwrap().reservations().len(), 1);
    assert_eq!(by_tag().await.unwrap().reservations().len(), 1);
}
