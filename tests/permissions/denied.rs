//! The policies deny every call on resources that do not belong to the fleet, even if a step makes such a call.

use super::{RUN, clients, config};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{InstanceSpecification, ResourceType, Tag, TagSpecification};
use fleet::{DataSource, FLEET_TAG, ROLE_TAG, RUN_TAG};
use fleetwright::permissions::permissions;
use fleetwright::rehearse::{in_virtual_time, world};
use functions::Aws;
use simulator::Simulator;
use simulator::invariants::{Settled, SettledAs};
use std::time::Duration;

/// Asserts that IAM denied the call, and that the error names `action`.
#[track_caller]
fn denied<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>, code: &str, action: &str) {
    let Err(SdkError::ServiceError(error)) = result else { panic!("{action} was not denied") };
    let error = error.into_err();
    let message = error.message().unwrap_or_default();
    assert_eq!(error.code(), Some(code), "{action}: {message}");
    assert!(message.contains(&format!("not authorized to perform: {action} on resource: arn:aws:")), "{message}");
}

const EC2: &str = "UnauthorizedOperation";

/// The instances of the sample fleet, one instance of another owner, and the images of both.
struct Found {
    own: Vec<String>,
    other: String,
    golden: String,
    others_image: String,
}

impl Found {
    async fn by(ec2: &aws_sdk_ec2::Client) -> Found {
        let described = ec2.describe_instances().send().await.unwrap();
        let instances = described.reservations().iter().flat_map(|one| one.instances());
        let owned = instances.map(|one| {
            let fleet = one.tags().iter().find(|tag| tag.key() == Some(FLEET_TAG)).and_then(Tag::value);
            (one.instance_id().unwrap().to_owned(), one.image_id().unwrap().to_owned(), fleet == Some("appwrite"))
        });
        let (own, others): (Vec<_>, Vec<_>) = owned.partition(|(_, _, own)| *own);
        let (other, others_image, _) = others[0].clone();
        let golden = own[0].1.clone();
        Found { own: own.into_iter().map(|(id, ..)| id).collect(), other, golden, others_image }
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn tagged(kind: ResourceType, fleet: &str) -> TagSpecification {
    let tags = [tag(FLEET_TAG, fleet), tag(RUN_TAG, RUN), tag(ROLE_TAG, "member")];
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags.to_vec())).build()
}

#[test]
fn the_policies_deny_calls_on_resources_of_others() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = |function| aws_sdk_ec2::Client::new(&clients(&simulator, &config, function));
        let Found { own, other, golden, others_image } = Found::by(&ec2("observe")).await;
        let (delete, retag, snapshot) = (ec2("delete"), ec2("retag"), ec2("snapshot"));
        let terminate = |ids: &[&String]| {
            let ids = ids.iter().map(ToString::to_string).collect();
            delete.terminate_instances().set_instance_ids(Some(ids)).send()
        };
        denied(terminate(&[&other]).await, EC2, "ec2:TerminateInstances");
        // One foreign instance in the list makes the whole call fail.
        denied(terminate(&[&own[0], &other]).await, EC2, "ec2:TerminateInstances");
        denied(delete.deregister_image().image_id(&others_image).send().await, EC2, "ec2:DeregisterImage");
        // No run made this golden image.
        denied(delete.deregister_image().image_id(&golden).send().await, EC2, "ec2:DeregisterImage");

        // A backup of the data is not deleted either, although a run of the fleet made it.
        let data = config.backup.as_ref().unwrap();
        let DataSource::DataServer(server) = data else { panic!("{data}") };
        let of_server = InstanceSpecification::builder().instance_id(server.as_str()).build();
        let kept = [tag(FLEET_TAG, "appwrite"), tag(RUN_TAG, RUN), tag(ROLE_TAG, "backup")];
        let kept = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(kept.to_vec()));
        let call = ec2("back-up").create_snapshots().instance_specification(of_server).tag_specifications(kept.build());
        let backup = call.send().await.unwrap().snapshots()[0].snapshot_id().unwrap().to_owned();
        denied(delete.delete_snapshot().snapshot_id(&backup).send().await, EC2, "ec2:DeleteSnapshot");
        let before = simulator.report();

        denied(ec2("stop").stop_instances().instance_ids(&other).send().await, EC2, "ec2:StopInstances");
        // Only a builder may be stopped, not a member.
        denied(ec2("stop").stop_instances().instance_ids(&own[0]).send().await, EC2, "ec2:StopInstances");

        denied(ec2("start").start_instances().instance_ids(&other).send().await, EC2, "ec2:StartInstances");
        let image_member = ec2("image-member");
        denied(image_member.stop_instances().instance_ids(&other).send().await, EC2, "ec2:StopInstances");

        let create_tags = |id: &str, key: &str| retag.create_tags().resources(id).tags(tag(key, "appwrite")).send();
        let delete_tags =
            |id: &str, key: &str| retag.delete_tags().resources(id).tags(Tag::builder().key(key).build()).send();
        denied(create_tags(&other, "high-availability").await, EC2, "ec2:CreateTags");
        denied(delete_tags(&other, "service").await, EC2, "ec2:DeleteTags");
        // No step may add or remove the tags that policies depend on, or remove all tags.
        denied(create_tags(&other, FLEET_TAG).await, EC2, "ec2:CreateTags");
        denied(create_tags(&own[0], ROLE_TAG).await, EC2, "ec2:CreateTags");
        denied(delete_tags(&own[0], FLEET_TAG).await, EC2, "ec2:DeleteTags");
        denied(retag.delete_tags().resources(&own[0]).send().await, EC2, "ec2:DeleteTags");
        denied(create_tags(&golden, "high-availability").await, EC2, "ec2:CreateTags");

        let image = |ec2: &aws_sdk_ec2::Client, id: &str| {
            let call = ec2.create_image().instance_id(id).name("an-image");
            let call = call.tag_specifications(tagged(ResourceType::Image, "appwrite"));
            call.tag_specifications(tagged(ResourceType::Snapshot, "appwrite")).send()
        };
        denied(image(&snapshot, &other).await, EC2, "ec2:CreateImage");
        denied(image(&snapshot, &own[0]).await, EC2, "ec2:CreateImage");
        denied(image(&image_member, &other).await, EC2, "ec2:CreateImage");

        let create = ec2("create-from-snapshot");
        let launch = |fleet: Option<&str>| {
            let call = create.run_instances().image_id(&golden).min_count(1).max_count(1);
            let kinds = [ResourceType::Instance, ResourceType::Volume];
            call.set_tag_specifications(fleet.map(|fleet| kinds.map(|kind| tagged(kind, fleet)).to_vec())).send()
        };
        denied(launch(Some("billing-of-others")).await, EC2, "ec2:RunInstances");
        denied(launch(None).await, EC2, "ec2:RunInstances");
        denied(create.create_tags().resources(&own[0]).tags(tag("a", "b")).send().await, EC2, "ec2:CreateTags");

        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&clients(&simulator, &config, "retag"));
        let (start, _) = config.load_balancer.target_group.as_str().split_once("targetgroup/").unwrap();
        let others_group = format!("{start}targetgroup/someone-else/0123456789abcdef");
        let target = aws_sdk_elasticloadbalancingv2::types::TargetDescription::builder().id(&other).build();
        let deregister = elb.deregister_targets().target_group_arn(&others_group).targets(target.clone());
        denied(deregister.send().await, "AccessDenied", "elasticloadbalancing:DeregisterTargets");
        let register = elb.register_targets().target_group_arn(&others_group).targets(target);
        denied(register.send().await, "AccessDenied", "elasticloadbalancing:RegisterTargets");

        let ssm = aws_sdk_ssm::Client::new(&clients(&simulator, &config, "configure"));
        let send = |document: &str, id: &str| ssm.send_command().document_name(document).instance_ids(id).send();
        for (document, id) in
            [("fleetwright-configure", &other), ("fleetwright-configure", &own[0]), ("AWS-RunShellScript", &own[0])]
        {
            denied(send(document, id).await, "AccessDeniedException", "ssm:SendCommand");
        }

        // A step may not make the calls of another step, even on its own fleet.
        let begin = ec2("begin").terminate_instances().instance_ids(&own[0]).send().await;
        denied(begin, EC2, "ec2:TerminateInstances");
        let table = aws_sdk_dynamodb::Client::new(&clients(&simulator, &config, "begin"));
        let others_table = table.delete_item().table_name("fleetwright").send().await;
        denied(others_table, "AccessDeniedException", "dynamodb:DeleteItem");

        let after = simulator.report();
        assert_eq!((after.instances, after.images), (before.instances, before.images));
    })
    .unwrap();
}

/// A step that is invoked twice deletes an image twice. The second call is denied, because the policy requires tags
/// that the deleted image no longer has. That denial violates no invariant.
#[test]
fn a_deleted_image_can_be_deleted_again_and_an_image_that_no_run_made_cannot() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = |function| aws_sdk_ec2::Client::new(&clients(&simulator, &config, function));
        let builder = [tag(FLEET_TAG, "appwrite"), tag(RUN_TAG, RUN), tag(ROLE_TAG, "builder")];
        let tagged = |kind| TagSpecification::builder().resource_type(kind).set_tags(Some(builder.to_vec())).build();
        let golden = config.fleet.golden_image.clone().unwrap();
        let launch = ec2("create-from-snapshot").run_instances().image_id(golden.as_str());
        let launch = launch.instance_type("c6i.large".into()).min_count(1).max_count(1);
        let launch = launch.tag_specifications(tagged(ResourceType::Instance));
        let launched = launch.tag_specifications(tagged(ResourceType::Volume)).send().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let make =
            ec2("snapshot").create_image().name("an-image").instance_id(launched.instances()[0].instance_id().unwrap());
        let make = make.tag_specifications(tagged(ResourceType::Image));
        let made = make.tag_specifications(tagged(ResourceType::Snapshot)).send().await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;

        let delete = Aws::new(&clients(&simulator, &config, "delete"), "fleetwright");
        let image = made.image_id().unwrap().parse().unwrap();
        delete.delete_image(&image).await.unwrap();
        delete.delete_image(&image).await.unwrap();
        let settled = Settled { outcome: SettledAs::Frozen, run: RUN.to_owned(), kept: Vec::new(), joined: Vec::new() };
        assert_eq!(simulator.check(&settled).violated, []);

        let error = delete.delete_image(&golden).await.unwrap_err();
        assert!(error.to_string().starts_with("DeregisterImage: UnauthorizedOperation: "), "{error}");
        assert_eq!(simulator.check(&settled).violated[0].invariant, "within-permissions");
    })
    .unwrap();
}

/// The template has no role for this caller. Its calls fail, and the rehearsal reports that it does not model AWS.
#[test]
fn a_caller_without_a_policy_is_denied() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = aws_sdk_ec2::Client::new(&clients(&simulator, &config, "nobody"));
        assert!(ec2.describe_instances().send().await.is_err());
        assert!(simulator.report().unsupported[0].contains("calls of 'nobody', which has no policy"));
    })
    .unwrap();
}
