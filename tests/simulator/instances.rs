use aws_sdk_ec2::types::InstanceStateName;

use super::{SUBNETS, aws, code, filter, seconds, with, world};

#[tokio::test(start_paused = true)]
async fn an_instance_passes_its_states_after_their_latencies() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(15).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Pending);
    seconds(1).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Running);
    aws.ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    seconds(29).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Stopping);
    seconds(1).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Stopped);
    let start = aws.ec2.start_instances().instance_ids(&id).send().await.unwrap();
    let now = start.starting_instances()[0].current_state().unwrap().name();
    assert_eq!(now, Some(&InstanceStateName::Pending));
    assert_eq!(aws.state(&id).await, InstanceStateName::Stopped, "Describe returns a stale state");
    seconds(3).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Pending);
    seconds(20).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Running);
    let change = aws.ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    let change = &change.terminating_instances()[0];
    assert_eq!(change.previous_state().unwrap().name(), Some(&InstanceStateName::Running));
    assert_eq!(change.current_state().unwrap().name(), Some(&InstanceStateName::ShuttingDown));
    seconds(35).await;
    assert_eq!(aws.state(&id).await, InstanceStateName::Terminated);
    seconds(3_600).await;
    let gone = aws.ec2.describe_instances().instance_ids(&id).send().await;
    assert_eq!(code(gone), "InvalidInstanceID.NotFound", "EC2 forgets it after an hour");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_state_does_not_allow_is_refused() {
    let aws = aws();
    let member = aws.members().remove(0);
    let launched = aws.launch(1).await.remove(0);
    assert_eq!(code(aws.ec2.stop_instances().instance_ids(&launched).send().await), "IncorrectInstanceState");
    aws.ec2.stop_instances().instance_ids(&member).send().await.unwrap();
    assert_eq!(code(aws.ec2.start_instances().instance_ids(&member).send().await), "IncorrectInstanceState");
    aws.ec2.terminate_instances().instance_ids(&member).send().await.unwrap();
    assert_eq!(code(aws.ec2.stop_instances().instance_ids(&member).send().await), "IncorrectInstanceState");
    aws.ec2
        .terminate_instances()
        .instance_ids(&member)
        .send()
        .await
        .expect("terminating an instance twice is no error");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_an_unknown_id_terminates_nothing() {
    let aws = aws();
    let members = aws.members();
    let unknown = "i-0000000000000000f";
    let call = aws.ec2.terminate_instances().instance_ids(&members[0]).instance_ids(unknown).send().await;
    assert_eq!(code(call), "InvalidInstanceID.NotFound");
    assert_eq!(code(aws.ec2.terminate_instances().instance_ids("x").send().await), "InvalidInstanceID.Malformed");
    assert_eq!(aws.state(&members[0]).await, InstanceStateName::Running);
}

#[tokio::test(start_paused = true)]
async fn filters_combine_and_answers_have_pages() {
    let mut world = world();
    world.members = 12;
    let aws = with(world, vec![]);
    let query = || {
        let call = aws.ec2.describe_instances().filters(filter("tag:role", "appwrite"));
        call.filters(filter("instance-state-name", "running")).filters(filter("subnet-id", SUBNETS[0]))
    };
    assert_eq!(query().send().await.unwrap().reservations()[0].instances().len(), 6);
    assert!(query().filters(filter("image-id", "ami-*f")).send().await.unwrap().reservations().is_empty());
    let mut pages = query().max_results(5).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.reservations().iter().map(|one| one.instances().len()).sum::<usize>());
    }
    assert_eq!(sizes, [5, 1]);
    let ids = aws.members();
    let both = aws.ec2.describe_instances().set_instance_ids(Some(ids)).max_results(5).send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    assert_eq!(code(query().max_results(4).send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn tags_change_on_all_resources_or_on_none() {
    let aws = aws();
    let members = aws.members();
    let tag = aws_sdk_ec2::types::Tag::builder().key("fixture").value("blue").build();
    let call = aws.ec2.create_tags().resources(&members[0]).resources(super::GOLDEN).tags(tag.clone());
    call.clone().resources("i-0000000000000000f").send().await.expect_err("one of them is unknown");
    let found = || aws.ec2.describe_instances().filters(filter("tag:fixture", "blue")).send();
    assert!(found().await.unwrap().reservations().is_empty());
    call.send().await.unwrap();
    assert_eq!(found().await.unwrap().reservations().len(), 1);
    let images = aws.ec2.describe_images().owners("self").filters(filter("tag:fixture", "blue")).send().await.unwrap();
    assert_eq!(images.images().len(), 1);

    let other = aws_sdk_ec2::types::Tag::builder().key("fixture").value("green").build();
    aws.ec2.delete_tags().resources(&members[0]).tags(other).send().await.unwrap();
    assert_eq!(found().await.unwrap().reservations().len(), 1, "a tag of another value stays");
    aws.ec2.delete_tags().resources(&members[0]).tags(tag).send().await.unwrap();
    assert!(found().await.unwrap().reservations().is_empty());
    let reserved = aws_sdk_ec2::types::Tag::builder().key("aws:x").value("y").build();
    assert_eq!(code(aws.ec2.create_tags().resources(&members[0]).tags(reserved).send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn subnets_are_described_with_their_zones() {
    let aws = aws();
    let answer = aws.ec2.describe_subnets().subnet_ids(SUBNETS[1]).send().await.unwrap();
    assert_eq!(answer.subnets()[0].availability_zone(), Some("eu-central-1b"));
    assert_eq!(code(aws.ec2.describe_subnets().subnet_ids("subnet-0000000c").send().await), "InvalidSubnetID.NotFound");
}

#[tokio::test(start_paused = true)]
async fn alarms_are_described_by_name() {
    let aws = aws();
    let answer =
        aws.cloudwatch.describe_alarms().alarm_names("appwrite-cpu").alarm_names("other").send().await.unwrap();
    assert_eq!(answer.metric_alarms().len(), 1);
    assert_eq!(answer.metric_alarms()[0].state_value().unwrap().as_str(), "OK");
    assert_eq!(answer.metric_alarms()[0].state_updated_timestamp().unwrap().secs(), 1_800_000_000);
    let refused = aws.cloudwatch.describe_alarms().alarm_name_prefix("a").send().await;
    assert_eq!(code(refused), "Simulator.Unsupported");
}
