use aws_sdk_ec2::types::{ImageState, InstanceStateName, ResourceType, SnapshotState};
use simulator::faults::{Fault, WorldFault};

use super::{Aws, GOLDEN, aws, code, filter, seconds, tagged, with, world};

async fn image(aws: &Aws, instance: &str, name: &str) -> String {
    let call = aws.ec2.create_image().instance_id(instance).name(name).no_reboot(true);
    let call = call.tag_specifications(tagged(ResourceType::Image, &[("fleetwright:run", "run-1")]));
    let call = call.tag_specifications(tagged(ResourceType::Snapshot, &[("fleetwright:run", "run-1")]));
    call.send().await.unwrap().image_id().unwrap().to_owned()
}

async fn state(aws: &Aws, image: &str) -> ImageState {
    let answer = aws.ec2.describe_images().image_ids(image).send().await.unwrap();
    answer.images()[0].state().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn an_image_becomes_available_with_the_version_of_its_instance() {
    let aws = aws();
    let member = aws.members().remove(0);
    let id = image(&aws, &member, "appwrite-new").await;
    assert_eq!(code(aws.ec2.describe_images().image_ids(&id).send().await), "InvalidAMIID.NotFound");
    let launch = aws.ec2.run_instances().image_id(&id).instance_type("t3.large".into()).min_count(1).max_count(1);
    assert_eq!(code(launch.send().await), "InvalidAMIID.Unavailable");
    seconds(198).await;
    assert_eq!(state(&aws, &id).await, ImageState::Pending);
    seconds(2).await;
    assert_eq!(state(&aws, &id).await, ImageState::Available);
    let report = aws.simulator.report();
    let made = report.images.iter().find(|image| image.id == id).unwrap();
    assert_eq!(made.version.as_deref(), Some("1.3.8"));
    assert_eq!(made.tags["fleetwright:run"], "run-1");
}

#[tokio::test(start_paused = true)]
async fn an_image_name_is_unique_until_its_image_is_deregistered() {
    let aws = aws();
    let member = aws.members().remove(0);
    let id = image(&aws, &member, "appwrite-new").await;
    let again = || aws.ec2.create_image().instance_id(&member).name("appwrite-new").no_reboot(true).send();
    let error = again().await.unwrap_err().into_service_error();
    assert_eq!(error.meta().code(), Some("InvalidAMIName.Duplicate"));
    assert!(error.meta().message().unwrap().ends_with(&id), "it names the image with this name: {error:?}");
    aws.ec2.deregister_image().image_id(&id).send().await.unwrap();
    again().await.unwrap();
    let bad = aws.ec2.create_image().instance_id(&member).name("a:b").send().await;
    assert_eq!(code(bad), "InvalidAMIName.Malformed");
}

#[tokio::test(start_paused = true)]
async fn an_image_reboots_its_running_instance_unless_the_call_disables_that() {
    let aws = aws();
    let members = aws.members();
    image(&aws, &members[0], "without").await;
    assert_eq!(aws.simulator.report().capacity.lowest, 3);
    aws.ec2.create_image().instance_id(&members[1]).name("with").send().await.unwrap();
    assert_eq!(aws.simulator.report().capacity.lowest, 2);
    assert_eq!(aws.state(&members[1]).await, InstanceStateName::Running);
    // The reboot takes 25 s, the boot 15 s, and an unhealthy target must pass five checks.
    seconds(25 + 15 + 5 * 10).await;
    assert_eq!(aws.simulator.report().capacity.series.last().unwrap().1, 3);
}

#[tokio::test(start_paused = true)]
async fn an_image_requires_a_running_or_stopped_instance() {
    let aws = aws();
    let launched = aws.launch(1).await.remove(0);
    assert_eq!(code(aws.ec2.create_image().instance_id(&launched).name("new").send().await), "IncorrectState");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_cannot_be_deleted_before_its_image_is_deregistered() {
    let aws = aws();
    let member = aws.members().remove(0);
    let id = image(&aws, &member, "appwrite-new").await;
    seconds(210).await;
    let found =
        || aws.ec2.describe_snapshots().owner_ids("self").filters(filter("tag:fleetwright:run", "run-1")).send();
    let snapshots = found().await.unwrap();
    assert_eq!(snapshots.snapshots()[0].state(), Some(&SnapshotState::Completed));
    let snapshot = snapshots.snapshots()[0].snapshot_id().unwrap();
    let image = aws.ec2.describe_images().image_ids(&id).send().await.unwrap().images()[0].clone();
    assert_eq!(image.block_device_mappings()[0].ebs().unwrap().snapshot_id(), Some(snapshot));

    let delete = || aws.ec2.delete_snapshot().snapshot_id(snapshot).send();
    assert_eq!(code(delete().await), "InvalidSnapshot.InUse");
    aws.ec2.deregister_image().image_id(&id).send().await.unwrap();
    assert_eq!(found().await.unwrap().snapshots().len(), 1, "deregistering an image keeps its snapshot");
    delete().await.unwrap();
    assert_eq!(code(delete().await), "InvalidSnapshot.NotFound");
    assert_eq!(code(aws.ec2.deregister_image().image_id(&id).send().await), "InvalidAMIID.Unavailable");
}

#[tokio::test(start_paused = true)]
async fn deregistering_an_image_can_delete_its_snapshot() {
    let aws = aws();
    let member = aws.members().remove(0);
    let id = image(&aws, &member, "appwrite-new").await;
    seconds(210).await;
    aws.ec2.deregister_image().image_id(&id).delete_associated_snapshots(true).send().await.unwrap();
    let left = aws.ec2.describe_snapshots().owner_ids("self").filters(filter("tag:fleetwright:run", "run-1")).send();
    assert!(left.await.unwrap().snapshots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_image_has_a_reason_and_launches_nothing() {
    let aws = with(world(), vec![Fault::world(WorldFault::ImageFails)]);
    let member = aws.members().remove(0);
    let id = image(&aws, &member, "appwrite-new").await;
    seconds(210).await;
    let answer = aws.ec2.describe_images().image_ids(&id).send().await.unwrap();
    assert_eq!(answer.images()[0].state(), Some(&ImageState::Failed));
    assert!(answer.images()[0].state_reason().unwrap().message().is_some());
    let launch = aws.ec2.run_instances().image_id(&id).instance_type("t3.large".into()).min_count(1).max_count(1);
    assert_eq!(code(launch.send().await), "InvalidAMIID.Unavailable");
}

#[tokio::test(start_paused = true)]
async fn images_are_found_by_owner_name_and_tag() {
    let aws = aws();
    let found = |name: &'static str, value: &'static str| {
        aws.ec2.describe_images().owners("self").filters(filter(name, value)).send()
    };
    let golden = found("tag:fleetwright:version", "1.3.8").await.unwrap();
    assert_eq!(golden.images()[0].image_id(), Some(GOLDEN));
    assert_eq!(found("name", "appwrite-*").await.unwrap().images().len(), 1);
    assert!(found("state", "pending").await.unwrap().images().is_empty());
    assert_eq!(code(found("architecture", "arm64").await), "Simulator.Unsupported");
}
