use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthReasonEnum, TargetHealthStateEnum};
use simulator::faults::{Fault, Which, WorldFault};

use super::{Aws, GROUP, aws, code, seconds, with, world};

fn target(id: &str) -> TargetDescription {
    TargetDescription::builder().id(id).build()
}

async fn register(aws: &Aws, id: &str) {
    aws.elb.register_targets().target_group_arn(GROUP).targets(target(id)).send().await.unwrap();
}

async fn health(aws: &Aws, id: &str) -> (TargetHealthStateEnum, Option<TargetHealthReasonEnum>) {
    let answer = aws.elb.describe_target_health().target_group_arn(GROUP).targets(target(id)).send().await.unwrap();
    let health = answer.target_health_descriptions()[0].target_health().unwrap();
    (health.state().unwrap().clone(), health.reason().cloned())
}

#[tokio::test(start_paused = true)]
async fn a_new_target_must_pass_one_check() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(16 + 40).await;
    register(&aws, &id).await;
    seconds(9).await;
    let initial = (TargetHealthStateEnum::Initial, Some(TargetHealthReasonEnum::InitialHealthChecking));
    assert_eq!(health(&aws, &id).await, initial);
    seconds(1).await;
    assert_eq!(health(&aws, &id).await, (TargetHealthStateEnum::Healthy, None));
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_target_must_pass_the_healthy_threshold() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(16).await;
    // It runs but does not answer for 40 s more. Two checks fail, and then five must pass.
    register(&aws, &id).await;
    seconds(20).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Unhealthy);
    seconds(20 + 39).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Unhealthy);
    seconds(1).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Healthy);
}

#[tokio::test(start_paused = true)]
async fn only_a_running_instance_can_be_registered() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    let call = |id: &str| aws.elb.register_targets().target_group_arn(GROUP).targets(target(id)).send();
    assert_eq!(code(call(&id).await), "InvalidTarget");
    assert_eq!(code(call("i-0000000000000000f").await), "InvalidTarget");
    let nowhere = GROUP.replace("appwrite", "other");
    let call = aws.elb.register_targets().target_group_arn(nowhere).targets(target(&id)).send();
    assert_eq!(code(call.await), "TargetGroupNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_target_drains_for_the_whole_delay_and_is_then_unused() {
    let aws = aws();
    let id = aws.members().remove(0);
    let deregister = || aws.elb.deregister_targets().target_group_arn(GROUP).targets(target(&id)).send();
    deregister().await.unwrap();
    seconds(59).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Draining);
    seconds(1).await;
    let unused = (TargetHealthStateEnum::Unused, Some(TargetHealthReasonEnum::NotRegistered));
    assert_eq!(health(&aws, &id).await, unused);
    deregister().await.expect("an unknown target is no error");
    let all = aws.elb.describe_target_health().target_group_arn(GROUP).send().await.unwrap();
    assert_eq!(all.target_health_descriptions().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_draining_target_that_is_registered_again_stays() {
    let aws = aws();
    let id = aws.members().remove(0);
    aws.elb.deregister_targets().target_group_arn(GROUP).targets(target(&id)).send().await.unwrap();
    seconds(30).await;
    register(&aws, &id).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Initial);
    seconds(40).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Healthy, "the earlier drain is void");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_target_is_unused_and_its_checks_begin_anew_when_it_runs() {
    let aws = aws();
    let id = aws.members().remove(0);
    aws.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    seconds(30).await;
    let unused = (TargetHealthStateEnum::Unused, Some(TargetHealthReasonEnum::InvalidState));
    assert_eq!(health(&aws, &id).await, unused);
    aws.ec2.start_instances().instance_ids(&id).send().await.unwrap();
    seconds(21 + 15 + 10).await;
    assert_eq!(health(&aws, &id).await.0, TargetHealthStateEnum::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_fault_keeps_the_first_new_target_unhealthy() {
    let fault = Fault::world(WorldFault::TargetNeverHealthy(Which::First));
    let aws = with(world(), vec![fault]);
    let ids = aws.launch(2).await;
    seconds(16 + 40).await;
    register(&aws, &ids[0]).await;
    register(&aws, &ids[1]).await;
    seconds(30).await;
    let codes = (TargetHealthStateEnum::Unhealthy, Some(TargetHealthReasonEnum::ResponseCodeMismatch));
    assert_eq!(health(&aws, &ids[0]).await, codes);
    assert_eq!(health(&aws, &ids[1]).await.0, TargetHealthStateEnum::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_group_has_a_target_quota() {
    let mut world = world();
    world.target_quota = 4;
    let aws = with(world, vec![]);
    let ids = aws.launch(2).await;
    seconds(16).await;
    let call = aws.elb.register_targets().target_group_arn(GROUP);
    let both = call.clone().targets(target(&ids[0])).targets(target(&ids[1]));
    assert_eq!(code(both.send().await), "TooManyTargets");
    call.targets(target(&ids[0])).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_describes_its_health_checks_and_its_delay() {
    let aws = aws();
    let groups = aws.elb.describe_target_groups().target_group_arns(GROUP).send().await.unwrap();
    let group = &groups.target_groups()[0];
    assert_eq!(group.target_group_name(), Some("appwrite"));
    assert_eq!(group.health_check_interval_seconds(), Some(10));
    assert_eq!(group.unhealthy_threshold_count(), Some(2));
    let attributes = aws.elb.describe_target_group_attributes().target_group_arn(GROUP).send().await.unwrap();
    let delay = attributes.attributes().iter().find(|one| one.key() == Some("deregistration_delay.timeout_seconds"));
    assert_eq!(delay.unwrap().value(), Some("60"));
    let all = aws.elb.describe_target_groups().send().await.unwrap();
    assert_eq!(all.target_groups().len(), 2, "the account also has a group of foreign instances");
}
