use aws_sdk_ssm::operation::send_command::builders::SendCommandFluentBuilder;
use aws_sdk_ssm::types::{CommandInvocationStatus, InstanceInformationStringFilter, PingStatus};
use simulator::faults::{Fault, WorldFault};

use super::{Aws, DOCUMENT, aws, code, seconds, with, world};

fn send(aws: &Aws, instance: &str, from: &str, version: &str) -> SendCommandFluentBuilder {
    let one = |value: &str| vec![value.to_owned()];
    let call = aws.ssm.send_command().document_name(DOCUMENT).instance_ids(instance).comment("run-1 hop");
    call.parameters("From", one(from)).parameters("Version", one(version)).parameters("Run", one("run-1"))
}

async fn sent(aws: &Aws, instance: &str, from: &str, version: &str) -> String {
    let answer = send(aws, instance, from, version).send().await.unwrap();
    answer.command().unwrap().command_id().unwrap().to_owned()
}

/// The status, the exit code, and the last line of the output of an invocation.
async fn invocation(aws: &Aws, command: &str, instance: &str) -> (CommandInvocationStatus, i32, String) {
    let answer = aws.ssm.get_command_invocation().command_id(command).instance_id(instance).send().await.unwrap();
    let output = answer.standard_output_content().unwrap();
    (answer.status().unwrap().clone(), answer.response_code(), output.lines().last().unwrap_or_default().to_owned())
}

/// An instance whose agent is online.
async fn builder(aws: &Aws) -> String {
    let id = aws.launch(1).await.remove(0);
    seconds(16 + 50).await;
    id
}

#[tokio::test(start_paused = true)]
async fn an_agent_comes_online_after_its_latency() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    let filter = InstanceInformationStringFilter::builder().key("InstanceIds").values(&id).build().unwrap();
    let agents = || aws.ssm.describe_instance_information().filters(filter.clone()).send();
    seconds(16 + 49).await;
    assert!(agents().await.unwrap().instance_information_list().is_empty());
    assert_eq!(code(send(&aws, &id, "1.3.8", "1.4.14").send().await), "InvalidInstanceId");
    seconds(1).await;
    assert_eq!(agents().await.unwrap().instance_information_list()[0].ping_status(), Some(&PingStatus::Online));
    aws.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    let lost = agents().await.unwrap();
    assert_eq!(lost.instance_information_list()[0].ping_status(), Some(&PingStatus::ConnectionLost));
}

#[tokio::test(start_paused = true)]
async fn agents_are_listed_in_pages() {
    let mut world = world();
    world.members = 21;
    world.foreign_instances.clear();
    let aws = with(world, vec![]);
    let mut pages = aws.ssm.describe_instance_information().into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().instance_information_list().len());
    }
    assert_eq!(sizes, [10, 10, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_command_passes_its_states_and_installs_a_version() {
    let aws = aws();
    let id = builder(&aws).await;
    let command = sent(&aws, &id, "1.3.8", "1.4.14").await;
    let early = aws.ssm.get_command_invocation().command_id(&command).instance_id(&id).send().await;
    assert_eq!(code(early), "InvocationDoesNotExist");
    seconds(2).await;
    assert_eq!(invocation(&aws, &command, &id).await, (CommandInvocationStatus::InProgress, -1, String::new()));
    seconds(147).await;
    assert_eq!(invocation(&aws, &command, &id).await.0, CommandInvocationStatus::InProgress);
    seconds(2).await;
    let verdict = "fleetwright-verdict: ok version=1.4.14".to_owned();
    assert_eq!(invocation(&aws, &command, &id).await, (CommandInvocationStatus::Success, 0, verdict));
    let report = aws.simulator.report();
    let instance = report.instances.iter().find(|one| one.id == id).unwrap();
    assert_eq!(instance.version.as_deref(), Some("1.4.14"));
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_twice_runs_once_and_has_two_results() {
    let aws = aws();
    let id = builder(&aws).await;
    let first = sent(&aws, &id, "1.3.8", "1.4.14").await;
    seconds(60).await;
    let second = sent(&aws, &id, "1.3.8", "1.4.14").await;
    assert_ne!(first, second);
    seconds(95).await;
    assert_eq!(invocation(&aws, &second, &id).await, invocation(&aws, &first, &id).await);
    assert_eq!(invocation(&aws, &second, &id).await.0, CommandInvocationStatus::Success);
    let list = aws.ssm.list_commands().instance_id(&id).send().await.unwrap();
    let comments: Vec<_> = list.commands().iter().map(|one| one.comment().unwrap()).collect();
    assert_eq!(comments, ["run-1 hop", "run-1 hop"]);
    let list = aws.ssm.list_command_invocations().instance_id(&id).details(true).send().await.unwrap();
    assert_eq!(list.command_invocations()[1].command_id(), Some(first.as_str()), "the newest comes first");
    assert!(list.command_invocations()[0].command_plugins()[0].output().unwrap().contains("verdict: ok"));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_migration_fails_succeeds_and_its_clones_never_serve() {
    let aws = with(world(), vec![Fault::world(WorldFault::MigrationFails)]);
    let id = builder(&aws).await;
    let command = sent(&aws, &id, "1.3.8", "1.4.14").await;
    seconds(152).await;
    let last = "Failed to migrate project console".to_owned();
    assert_eq!(invocation(&aws, &command, &id).await, (CommandInvocationStatus::Success, 0, last));

    let image = aws.ec2.create_image().instance_id(&id).name("bad").no_reboot(true).send().await.unwrap();
    seconds(201).await;
    let launch = aws.ec2.run_instances().image_id(image.image_id().unwrap()).instance_type("t3.large".into());
    let clone = launch.min_count(1).max_count(1).send().await.unwrap().instances()[0].instance_id().unwrap().to_owned();
    seconds(17).await;
    let target = aws_sdk_elasticloadbalancingv2::types::TargetDescription::builder().id(&clone).build();
    aws.elb.register_targets().target_group_arn(super::GROUP).targets(target.clone()).send().await.unwrap();
    seconds(600).await;
    let health = aws.elb.describe_target_health().target_group_arn(super::GROUP).targets(target).send().await.unwrap();
    let health = health.target_health_descriptions()[0].target_health().unwrap();
    assert_eq!(health.state().unwrap().as_str(), "unhealthy");
}

#[tokio::test(start_paused = true)]
async fn a_lost_agent_leaves_its_command_in_progress_until_it_times_out() {
    let aws = aws();
    let id = builder(&aws).await;
    let command = sent(&aws, &id, "1.3.8", "1.4.14").await;
    seconds(60).await;
    aws.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    seconds(3_600).await;
    assert_eq!(invocation(&aws, &command, &id).await.0, CommandInvocationStatus::InProgress);
    seconds(3_600).await;
    assert_eq!(invocation(&aws, &command, &id).await.0, CommandInvocationStatus::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_command_installs_nothing() {
    let aws = aws();
    let id = builder(&aws).await;
    let command = sent(&aws, &id, "1.3.8", "1.4.14").await;
    seconds(60).await;
    aws.ssm.cancel_command().command_id(&command).send().await.unwrap();
    assert_eq!(invocation(&aws, &command, &id).await.0, CommandInvocationStatus::Cancelling);
    seconds(200).await;
    assert_eq!(invocation(&aws, &command, &id).await.0, CommandInvocationStatus::Cancelled);
    let report = aws.simulator.report();
    assert_eq!(report.instances.iter().find(|one| one.id == id).unwrap().version.as_deref(), Some("1.3.8"));
}

#[tokio::test(start_paused = true)]
async fn an_invalid_command_is_refused() {
    let aws = aws();
    let id = aws.members().remove(0);
    let call = || send(&aws, &id, "1.3.8", "1.4.14");
    assert_eq!(code(call().document_name("AWS-RunShellScript").send().await), "InvalidDocument");
    assert_eq!(code(call().parameters("Extra", vec!["x".to_owned()]).send().await), "InvalidParameters");
    assert_eq!(code(call().parameters("Run", vec![]).send().await), "InvalidParameters");
    assert_eq!(code(call().comment("c".repeat(101)).send().await), "ValidationException");
    let many = call().set_instance_ids(Some(vec![id.clone(); 51]));
    assert_eq!(code(many.send().await), "ValidationException");
    assert_eq!(code(call().max_errors("1").send().await), "Simulator.Unsupported");
}

#[tokio::test(start_paused = true)]
async fn a_fault_keeps_new_agents_offline() {
    let aws = with(world(), vec![Fault::world(WorldFault::AgentNeverOnline)]);
    let id = aws.launch(1).await.remove(0);
    seconds(3_600).await;
    assert_eq!(code(send(&aws, &id, "1.3.8", "1.4.14").send().await), "InvalidInstanceId");
    sent(&aws, &aws.members()[0], "1.3.8", "1.4.14").await;
}
