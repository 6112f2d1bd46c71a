use aws_sdk_ec2::types::ResourceType;
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use simulator::faults::{Fault, WorldFault};
use simulator::invariants::{Settled, SettledAs};

use super::{Aws, GOLDEN, GROUP, aws, called, filter, seconds, tagged, with, world};

/// The invariants that do not hold for a run that ended this way.
fn violated(aws: &Aws, outcome: SettledAs) -> Vec<&'static str> {
    let verdict =
        aws.simulator.check(&Settled { outcome, run: "run-1".to_owned(), kept: Vec::new(), joined: Vec::new() });
    assert!(verdict.checked.len() >= 4);
    let mut names: Vec<_> = verdict.violated.iter().map(|violation| violation.invariant).collect();
    names.dedup();
    names
}

#[tokio::test(start_paused = true)]
async fn a_run_that_only_reads_violates_nothing() {
    let aws = aws();
    aws.ec2.describe_instances().send().await.unwrap();
    for outcome in
        [SettledAs::Unchanged, SettledAs::Refused, SettledAs::RolledBack, SettledAs::Frozen, SettledAs::Upgraded]
    {
        assert_eq!(violated(&aws, outcome), [""; 0], "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lower_capacity_and_lost_requests_are_violations() {
    let aws = aws();
    let member = aws.members().remove(0);
    aws.ec2.terminate_instances().instance_ids(member).send().await.unwrap();
    seconds(60).await;
    assert_eq!(violated(&aws, SettledAs::Frozen), ["capacity-and-requests"]);
    assert!(violated(&aws, SettledAs::RolledBack).contains(&"failed-run-leaves-fleet-as-it-was"));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_dies_is_no_violation() {
    let at = std::time::Duration::from_secs(5);
    let aws = with(world(), vec![Fault::world(WorldFault::MemberDies { at })]);
    seconds(60).await;
    assert!(aws.simulator.report().requests.failed > 0);
    assert_eq!(violated(&aws, SettledAs::Frozen), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_left_over_is_a_violation_until_it_shuts_down() {
    let aws = aws();
    let id = aws.launch(1).await.remove(0);
    seconds(60).await;
    assert_eq!(violated(&aws, SettledAs::RolledBack), ["nothing-left-over"]);
    aws.ec2.terminate_instances().instance_ids(id).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::RolledBack), [""; 0]);
    let member = aws.members().remove(0);
    let image = aws.ec2.create_image().instance_id(member).name("new").no_reboot(true);
    let image = image.tag_specifications(tagged(ResourceType::Image, &[("fleetwright:run", "run-1")]));
    let image = image.send().await.unwrap().image_id().unwrap().to_owned();
    assert_eq!(violated(&aws, SettledAs::RolledBack), ["nothing-left-over"]);
    aws.ec2.deregister_image().image_id(image).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::RolledBack), ["nothing-left-over"], "its snapshot is left over");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_an_upgrade_replaced_must_be_gone() {
    let aws = aws();
    let member = aws.members().remove(0);
    let target = TargetDescription::builder().id(&member).build();
    aws.elb.deregister_targets().target_group_arn(GROUP).targets(target).send().await.unwrap();
    seconds(60).await;
    assert!(violated(&aws, SettledAs::Upgraded).contains(&"nothing-left-over"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_foreign_instance_is_a_violation() {
    let aws = aws();
    let others = aws.ec2.describe_instances().filters(filter("tag:fleetwright:fleet", "someone-else")).send().await;
    let other = others.unwrap().reservations()[0].instances()[0].instance_id().unwrap().to_owned();
    let tag = aws_sdk_ec2::types::Tag::builder().key("role").value("appwrite").build();
    aws.ec2.create_tags().resources(other).tags(tag).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::Frozen), ["nothing-foreign-touched"]);
}

#[tokio::test(start_paused = true)]
async fn two_runs_that_change_the_fleet_at_once_are_a_violation() {
    let first = aws();
    let second = called(first.simulator.clone(), "run-2", "step");
    first.launch(1).await;
    second.ec2.describe_instances().send().await.unwrap();
    second.launch(1).await;
    assert_eq!(violated(&first, SettledAs::Frozen), [""; 0], "one after the other");
    first.launch(1).await;
    assert_eq!(violated(&first, SettledAs::Frozen), ["one-run-at-a-time"]);
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_golden_image_is_a_violation() {
    let aws = aws();
    aws.ec2.deregister_image().image_id(GOLDEN).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::Frozen), ["golden-image-exists"]);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_not_restored_is_a_violation() {
    let aws = aws();
    let member = aws.members().remove(0);
    let tag = aws_sdk_ec2::types::Tag::builder().key("extra").value("x").build();
    aws.ec2.create_tags().resources(&member).tags(tag.clone()).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::RolledBack), ["failed-run-leaves-fleet-as-it-was"]);
    aws.ec2.delete_tags().resources(&member).tags(tag).send().await.unwrap();
    assert_eq!(violated(&aws, SettledAs::RolledBack), [""; 0]);
}
