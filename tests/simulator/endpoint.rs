use std::time::Duration;

use aws_sdk_ec2::error::SdkError;
use simulator::faults::{Fault, Which, WorldFault};
use simulator::world::Latencies;

use super::{GOLDEN, GROUP, aws, called, code, filter, seconds, with, world};

#[tokio::test(start_paused = true)]
async fn a_call_with_a_lost_answer_takes_effect() {
    let aws = with(world(), vec![Fault::on("CreateImage").answer_lost()]);
    let member = aws.members().remove(0);
    let create = || aws.ec2.create_image().instance_id(&member).name("appwrite-new").no_reboot(true).send();
    let error = create().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io()), "{error:?}");
    assert_eq!(code(create().await), "InvalidAMIName.Duplicate");
    assert_eq!(aws.simulator.report().images.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_strikes_only_its_call_which_has_no_effect() {
    let fault = Fault::on("TerminateInstances").nth(2).by("delete").error("InternalError");
    let other = with(world(), vec![fault]);
    let delete = called(other.simulator.clone(), "run-1", "delete");
    let members = other.members();
    let unsent = |aws: &super::Aws, id: &str| aws.ec2.terminate_instances().instance_ids(id).send();
    unsent(&other, &members[0]).await.unwrap();
    unsent(&delete, &members[1]).await.unwrap();
    assert_eq!(code(unsent(&delete, &members[2]).await), "InternalError");
    assert_eq!(other.members(), members[2..]);
    unsent(&delete, &members[2]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_service_throttles_with_its_own_error() {
    let operations =
        ["DescribeInstances", "DescribeTargetHealth", "DescribeInstanceInformation", "DescribeAlarms", "GetItem"];
    let aws = with(world(), operations.map(|operation| Fault::on(operation).times(2).throttle()).into());
    for _ in 0..2 {
        assert_eq!(code(aws.ec2.describe_instances().send().await), "RequestLimitExceeded");
    }
    aws.ec2.describe_instances().send().await.unwrap();
    let health = aws.elb.describe_target_health().target_group_arn(GROUP).send().await;
    assert_eq!(code(health), "ThrottlingException");
    assert_eq!(code(aws.ssm.describe_instance_information().send().await), "ThrottlingException");
    assert_eq!(code(aws.cloudwatch.describe_alarms().send().await), "ThrottlingException");
    let key = aws_sdk_dynamodb::types::AttributeValue::S("x".to_owned());
    let get = aws.dynamodb.get_item().table_name("fleetwright").key("pk", key.clone()).key("sk", key).send().await;
    assert_eq!(code(get), "ProvisionedThroughputExceededException");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_slow_answer_takes_effect_in_time() {
    let faults =
        [3, 100].map(|by| Fault::on("StopInstances").nth(if by == 3 { 1 } else { 2 }).slow(Duration::from_secs(by)));
    let aws = with(world(), faults.into());
    let members = aws.members();
    let begun = tokio::time::Instant::now();
    aws.ec2.stop_instances().instance_ids(&members[0]).send().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_millis(3_100));
    // The SDK abandons a connection without a byte long before a hundred seconds. The call still takes effect.
    let error = aws.ec2.stop_instances().instance_ids(&members[1]).send().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_timeout()), "{error:?}");
    assert_eq!(aws.state(&members[1]).await.as_str(), "stopping");
}

#[tokio::test(start_paused = true)]
async fn launches_are_throttled_as_ec2_throttles_them() {
    let mut world = world();
    world.latencies.call = simulator::world::Range::millis(0, 0);
    let aws = with(world, vec![]);
    let launch = || {
        let call = aws.ec2.run_instances().image_id(GOLDEN).instance_type("t3.large".into()).min_count(1).max_count(1);
        async { call.send().await.map(|_| ()) }
    };
    let mut throttled = 0;
    for _ in 0..7 {
        throttled +=
            usize::from(launch().await.is_err_and(|error| code::<(), _, _>(Err(error)) == "RequestLimitExceeded"));
    }
    assert_eq!(throttled, 2, "five at once");
    seconds(1).await;
    launch().await.unwrap();
    launch().await.unwrap();
    assert_eq!(code(launch().await), "RequestLimitExceeded", "then two a second");
}

#[tokio::test(start_paused = true)]
async fn an_unsupported_request_is_refused_and_reported() {
    let aws = aws();
    assert_eq!(code(aws.ec2.describe_volumes().send().await), "Simulator.Unsupported");
    let parameter = aws.ec2.describe_instances().include_managed_resources(true).send().await;
    assert_eq!(code(parameter), "Simulator.Unsupported");
    let filter = aws.ec2.describe_instances().filters(filter("vpc-id", "vpc-1")).send().await;
    assert_eq!(code(filter), "Simulator.Unsupported");
    let listed = aws.simulator.report().unsupported.join("\n");
    for name in ["DescribeVolumes", "IncludeManagedResources=true", "the filter vpc-id"] {
        assert!(listed.contains(name), "{name} in {listed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_member_keeps_running_but_does_not_serve() {
    let at = Duration::from_secs(10);
    let aws = with(world(), vec![Fault::world(WorldFault::MemberDies { at })]);
    let member = aws.members().remove(0);
    seconds(11).await;
    assert_eq!(aws.state(&member).await.as_str(), "running");
    assert_eq!(aws.simulator.report().capacity.series.last(), Some(&(10.0, 2)));
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_and_have_latencies() {
    let aws = aws();
    let begun = tokio::time::Instant::now();
    for _ in 0..3 {
        aws.ec2.describe_instances().send().await.unwrap();
    }
    aws.simulator.invocation().await;
    assert_eq!(begun.elapsed(), Duration::from_millis(330));
    assert_eq!(aws.simulator.report().calls["DescribeInstances"], 3);
}

/// Makes some calls with latencies from ranges. Returns the report as text.
async fn rehearsal(seed: u64, extra: bool) -> String {
    let mut world = world();
    world.seed = seed;
    world.latencies = Latencies::default();
    let aws = with(world, vec![Fault::world(WorldFault::TargetNeverHealthy(Which::First))]);
    let ids = aws.launch(2).await;
    if extra {
        let _ = aws.ec2.describe_images().owners("self").send().await;
    }
    seconds(100).await;
    let ids =
        ids.into_iter().map(|id| aws_sdk_elasticloadbalancingv2::types::TargetDescription::builder().id(id).build());
    aws.elb.register_targets().target_group_arn(GROUP).set_targets(Some(ids.collect())).send().await.unwrap();
    let image = aws.ec2.create_image().instance_id(&aws.members()[0]).name("appwrite-new").send().await.unwrap();
    seconds(600).await;
    let mut report = aws.simulator.report();
    assert!(report.images.iter().any(|one| Some(one.id.as_str()) == image.image_id() && one.state == "available"));
    if extra {
        // The additional call shifts when a latency began, but not how long it took.
        report.calls.remove("DescribeImages");
        return report
            .spans
            .iter()
            .map(|span| format!("{} {} {:?}\n", span.kind, span.resource, span.end - span.start))
            .collect();
    }
    serde_json::to_string(&report).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_outcome() {
    assert_eq!(rehearsal(7, false).await, rehearsal(7, false).await);
    assert_ne!(rehearsal(7, false).await, rehearsal(8, false).await);
}

#[tokio::test(start_paused = true)]
async fn an_additional_call_shifts_no_other_draw() {
    let launches = |text: String| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("launch")).map(str::to_owned).collect()
    };
    let with_extra = launches(rehearsal(7, true).await);
    assert_eq!(with_extra.len(), 2);
    let without: serde_json::Value = serde_json::from_str(&rehearsal(7, false).await).unwrap();
    for (line, span) in with_extra.iter().zip(without["spans"].as_array().unwrap()) {
        let took = Duration::from_secs_f64(span["end"].as_f64().unwrap() - span["start"].as_f64().unwrap());
        let millis = Duration::from_millis(u64::try_from(took.as_micros().div_ceil(1_000)).unwrap());
        assert!(line.contains(span["resource"].as_str().unwrap()));
        assert!(line.ends_with(&format!("{millis:?}")), "{line} against {millis:?}");
    }
}
