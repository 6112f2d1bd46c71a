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
async fn requests_are_sent_throughout_and_none_is_lost_while_nothing_happens() {
    let aws = aws();
    seconds(3_600).await;
    let report = aws.simulator.report();
    assert_eq!(report.requests, Requests { sent: 180_000, failed: 0 });
    assert_eq!((report.capacity.floor, report.capacity.lowest), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_drained_before_it_goes_loses_nothing() {
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
async fn a_member_that_goes_while_it_drains_loses_its_long_requests() {
    let aws = aws();
    let member = aws.members().remove(0);
    seconds(30).await;
    deregister(&aws, &member).await;
    seconds(5).await;
    aws.ec2.terminate_instances().instance_ids(&member).send().await.unwrap();
    // One in a hundred of fifty a second is long, a third of them was here, and those of 20 s are still under way.
    let failed = aws.simulator.report().requests.failed;
    assert!((2..=5).contains(&failed), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_goes_undrained_loses_its_share_until_it_is_found_unhealthy() {
    let aws = aws();
    let member = aws.members().remove(0);
    seconds(30).await;
    aws.ec2.stop_instances().instance_ids(&member).send().await.unwrap();
    seconds(20).await;
    // A third of fifty a second, for two checks ten seconds apart, and what was under way.
    let failed = aws.simulator.report().requests.failed;
    assert!((300..=350).contains(&failed), "{failed}");
    seconds(600).await;
    assert_eq!(aws.simulator.report().requests.failed, failed);
}

#[tokio::test(start_paused = true)]
async fn a_new_member_counts_once_it_has_the_tag_and_is_healthy() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(56).await;
    aws.elb.register_targets().target_group_arn(GROUP).targets(target(&id)).send().await.unwrap();
    seconds(11).await;
    let in_service = || aws.simulator.report().capacity.series.last().unwrap().1;
    assert_eq!(in_service(), 3, "it serves, untagged");
    let tag = aws_sdk_ec2::types::Tag::builder().key("role").value("appwrite").build();
    aws.ec2.create_tags().resources(&id).tags(tag.clone()).send().await.unwrap();
    assert_eq!(in_service(), 4);
    assert!(aws.simulator.report().members.iter().any(|member| member.id == id && member.in_service));
    aws.ec2.delete_tags().resources(&id).tags(tag).send().await.unwrap();
    assert_eq!(in_service(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_the_chain_of_what_had_to_be_waited_for() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(100).await;
    aws.elb.register_targets().target_group_arn(GROUP).targets(target(&id)).send().await.unwrap();
    seconds(100).await;
    deregister(&aws, &id).await;
    seconds(100).await;
    // Launch, first boot, one check, the whole delay; not the agent, which nobody asked for.
    let chain = Duration::from_secs(16 + 40 + 10 + 60);
    assert_eq!(aws.simulator.limit(&[]), chain);
    let bake =
        Span { kind: "bake", resource: String::new(), start: Duration::from_secs(300), end: Duration::from_secs(420) };
    assert_eq!(aws.simulator.limit(&[bake]), chain + Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn instances_are_paid_for_while_they_run() {
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
    assert!((paid - expected).abs() < 0.01, "{paid} against {expected}: the bystanders' are not counted");
}
