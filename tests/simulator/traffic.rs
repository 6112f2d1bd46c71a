use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use simulator::report::{Requests, Span};

use super::{Aws, GROUP, aws, seconds};

fn target(id: &str) -> TargetDescription {
    TargetDescription::builder().id(id).build()
}

async fn deregister(aws: &Aws, id: &str) {
    aws.elb.deregister_targets().target_group_arn(GROUP).targets(target(id)).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_are_sent_all_the_time_and_none_is_lost_while_nothing_happens() {
    let aws = aws();
    seconds(3_600).await;
    let report = aws.simulator.report();
    assert_eq!(report.requests, Requests { sent: 180_000, failed: 0 });
    assert_eq!((report.capacity.floor, report.capacity.lowest), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_terminated_after_draining_loses_nothing() {
    let aws = aws();
    let member = aws.members().remove(0);
    deregister(&aws, &member).await;
    seconds(60).await;
    aws.ec2.terminate_instances().instance_ids(&member).send().await.unwrap();
    seconds(60).await;
    let report = aws.simulator.report();
    assert_eq!(report.requests.failed, 0);
    assert_eq!((report.capacity.floor, report.capacity.lowest), (3, 2));
    assert_eq!(report.capacity.series, [(0.0, 3), (0.1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_terminated_while_draining_loses_its_long_requests() {
    let aws = aws();
    let member = aws.members().remove(0);
    seconds(30).await;
    deregister(&aws, &member).await;
    seconds(5).await;
    aws.ec2.terminate_instances().instance_ids(&member).send().await.unwrap();
    // Fifty requests a second, one in a hundred long, a third of them here, and those of the last 20 s in flight.
    let failed = aws.simulator.report().requests.failed;
    assert!((2..=5).contains(&failed), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopped_undrained_loses_requests_until_it_is_unhealthy() {
    let aws = aws();
    let member = aws.members().remove(0);
    seconds(30).await;
    aws.ec2.stop_instances().instance_ids(&member).send().await.unwrap();
    seconds(20).await;
    // A third of fifty requests a second, for two checks ten seconds apart, and the requests in flight.
    let failed = aws.simulator.report().requests.failed;
    assert!((300..=350).contains(&failed), "{failed}");
    seconds(600).await;
    assert_eq!(aws.simulator.report().requests.failed, failed);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_in_service_once_it_has_the_tag_and_is_healthy() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(56).await;
    aws.elb.register_targets().target_group_arn(GROUP).targets(target(&id)).send().await.unwrap();
    seconds(11).await;
    let in_service = || aws.simulator.report().capacity.series.last().unwrap().1;
    assert_eq!(in_service(), 3, "it serves without the tag");
    let tag = aws_sdk_ec2::types::Tag::builder().key("role").value("appwrite").build();
    aws.ec2.create_tags().resources(&id).tags(tag.clone()).send().await.unwrap();
    assert_eq!(in_service(), 4);
    assert!(aws.simulator.report().members.iter().any(|member| member.id == id && member.in_service));
    aws.ec2.delete_tags().resources(&id).tags(tag).send().await.unwrap();
    assert_eq!(in_service(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_the_longest_chain_of_waits() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(100).await;
    aws.elb.register_targets().target_group_arn(GROUP).targets(target(&id)).send().await.unwrap();
    seconds(100).await;
    deregister(&aws, &id).await;
    seconds(100).await;
    // The launch, the first boot, one check and the whole delay. Not the agent, which no call asked for.
    let chain = Duration::from_secs(16 + 40 + 10 + 60);
    assert_eq!(aws.simulator.limit(&[]), chain);
    let bake =
        Span { kind: "bake", resource: String::new(), start: Duration::from_secs(300), end: Duration::from_secs(420) };
    assert_eq!(aws.simulator.limit(&[bake]), chain + Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn instance_seconds_count_only_running_instances() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(16).await;
    seconds(100).await;
    aws.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    seconds(1_000).await;
    let report = aws.simulator.report();
    let elapsed = 0.1 + 16.0 + 100.0 + 0.1 + 1_000.0;
    let expected = 3.0 * elapsed + 100.1;
    let paid = report.instance_seconds["t3.large"];
    assert!((paid - expected).abs() < 0.01, "{paid} against {expected}: foreign instances do not count");
}
