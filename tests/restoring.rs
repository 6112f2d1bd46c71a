//! Restores: the states in which manual changes or dead runs can leave an unlocked fleet, and a restore of the declared
//! state for each.

use crate::fixture::Fixture;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use fleet::{Outcome, Phase};
use fleetwright::rehearse::in_virtual_time;
use serde_json::json;
use simulator::invariants::SettledAs as Settling;

/// An operator at the AWS console.
struct Console<'a> {
    fixture: &'a Fixture,
    ec2: aws_sdk_ec2::Client,
    load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    members: Vec<String>,
}

impl<'a> Console<'a> {
    async fn of(fixture: &'a Fixture) -> Self {
        let config = fixture.console();
        let members = fixture.reader().ledger().staying_members(&fixture.run_ref("run-1")).await.unwrap().ids;
        Self {
            fixture,
            ec2: aws_sdk_ec2::Client::new(&config),
            load_balancing: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            members: members.iter().map(ToString::to_string).collect(),
        }
    }

    fn tag(&self) -> Tag {
        let tag = &self.fixture.config.fleet.load_balancer_tag;
        Tag::builder().key(&tag.key).value(&tag.value).build()
    }

    async fn untag(&self, member: usize) {
        self.ec2.delete_tags().resources(&self.members[member]).tags(self.tag()).send().await.unwrap();
    }

    async fn deregister(&self, member: usize) {
        let target = TargetDescription::builder().id(&self.members[member]).build();
        let group = self.fixture.config.load_balancer.target_group.as_str();
        self.load_balancing.deregister_targets().target_group_arn(group).targets(target).send().await.unwrap();
    }

    async fn register(&self, id: &str) {
        let target = TargetDescription::builder().id(id).build();
        let group = self.fixture.config.load_balancer.target_group.as_str();
        self.load_balancing.register_targets().target_group_arn(group).targets(target).send().await.unwrap();
    }

    fn run_tags(&self, role: &str) -> Vec<Tag> {
        let tags = [("fleetwright:fleet", "appwrite"), ("fleetwright:run", "run-0"), ("fleetwright:role", role)];
        tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect()
    }

    /// Launches an instance of this image, tagged as a left-over of the run `run-0`.
    async fn launch_left_over(&self, role: &str, image: &str) -> String {
        let fleet = &self.fixture.config.fleet;
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance);
        let launched = self
            .ec2
            .run_instances()
            .image_id(image)
            .instance_type("c6i.large".into())
            .subnet_id(fleet.subnets[0].id.as_str())
            .security_group_ids(fleet.security_groups[0].as_str())
            .min_count(1)
            .max_count(1)
            .tag_specifications(tags.set_tags(Some(self.run_tags(role))).build())
            .send()
            .await
            .unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        launched.instances()[0].instance_id().unwrap().to_owned()
    }

    async fn create_image(&self, instance: &str) {
        let call = self.ec2.create_image().instance_id(instance).name("left-by-run-0").no_reboot(true);
        let tagged =
            |kind| TagSpecification::builder().resource_type(kind).set_tags(Some(self.run_tags("member"))).build();
        let call = call.tag_specifications(tagged(ResourceType::Image));
        call.tag_specifications(tagged(ResourceType::Snapshot)).send().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    }
}

/// Manual changes, each with a part of what `fleetwright doctor` finds.
const MANUAL_CHANGES: [(&str, &str); 9] = [
    ("a member lost its tag", "receives no traffic"),
    ("a member was deregistered", "receives no traffic"),
    ("all but one lost tag and target", "receives no traffic"),
    ("a builder is running", "builder"),
    ("a builder is running, tagged and registered", "builder"),
    ("a clone of an older image is running", "a left-over of run run-0"),
    ("a builder is registered", "builder"),
    ("an image that the fleet does not keep", "image"),
    ("all changes together", "a left-over of run run-0"),
];

async fn change(console: &Console<'_>, what: &str) {
    let older = console.fixture.config.fleet.golden_image.as_ref().unwrap().as_str();
    match what {
        "a member lost its tag" => console.untag(0).await,
        "a member was deregistered" => console.deregister(1).await,
        "all but one lost tag and target" => {
            for member in [0, 1] {
                console.untag(member).await;
                console.deregister(member).await;
            }
        }
        "a builder is running" => drop(console.launch_left_over("builder", older).await),
        "a builder is running, tagged and registered" => {
            let builder = console.launch_left_over("builder", older).await;
            console.ec2.create_tags().resources(&builder).tags(console.tag()).send().await.unwrap();
            console.register(&builder).await;
        }
        "a clone of an older image is running" => drop(console.launch_left_over("member", older).await),
        "a builder is registered" => {
            let builder = console.launch_left_over("builder", older).await;
            console.register(&builder).await;
        }
        "an image that the fleet does not keep" => console.create_image(&console.members[0]).await,
        "all changes together" => {
            for what in MANUAL_CHANGES.iter().map(|(what, _)| *what).filter(|what| *what != "all changes together") {
                Box::pin(change(console, what)).await;
            }
        }
        other => panic!("{other} is not a listed manual change"),
    }
}

#[test]
fn every_listed_manual_change_is_found_and_restored() {
    for (what, finding_text) in MANUAL_CHANGES {
        in_virtual_time(async {
            let fixture = Fixture::new().await;
            assert_eq!(fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await, "succeeded");
            assert_eq!(fixture.findings().await, [""; 0]);
            let console = Console::of(&fixture).await;
            change(&console, what).await;
            let findings = fixture.findings().await;
            assert!(findings.iter().any(|finding| finding.contains(finding_text)), "{what}: {findings:?}");

            assert_eq!(
                fixture.run("repair-1", json!({"fleet": "appwrite", "restore": true})).await,
                "succeeded",
                "{what}"
            );
            assert_eq!(fixture.findings().await, [""; 0], "{what}");
            let (run, fleet) = (fixture.record("repair-1").await, fixture.fleet().await);
            assert_eq!((run.phase, run.size, fleet.lock), (Phase::Ended(Outcome::Restored), 3, None), "{what}");
            // The restore did not cause the losses of members that left service by hand.
            let mut violations = fixture.violations("repair-1", Settling::Upgraded).await;
            violations.retain(|violation| {
                !["capacity-and-requests", "nothing-foreign-touched"].contains(&violation.invariant)
            });
            assert_eq!(violations, [], "{what}");
        })
        .unwrap();
    }
}

#[test]
fn a_snapshot_without_its_image_is_a_left_over_and_a_backup_is_not() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        assert_eq!(fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await, "succeeded");
        let made = fixture.fleet().await.golden.unwrap().image;
        assert_eq!(fixture.run("run-2", json!({"fleet": "appwrite", "revert": "last-good"})).await, "succeeded");
        assert_eq!(
            fixture.findings().await,
            [""; 0],
            "the image is kept, and the backup of the data is not a snapshot of an image"
        );

        let ec2 = Console::of(&fixture).await.ec2;
        let image = ec2.describe_images().image_ids(made.as_str()).send().await.unwrap();
        let device = &image.images()[0].block_device_mappings()[0];
        let snapshot = device.ebs().unwrap().snapshot_id().unwrap();
        ec2.deregister_image().image_id(made.as_str()).send().await.unwrap();
        let orphan = format!("snapshot {snapshot} belongs to the image of run run-1, which no longer exists");
        assert_eq!(fixture.findings().await, [orphan]);
        ec2.delete_snapshot().snapshot_id(snapshot).send().await.unwrap();
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_restore_is_refused_during_a_run_and_does_not_touch_stopped_members() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        assert_eq!(fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await, "succeeded");
        let console = Console::of(&fixture).await;
        console.ec2.stop_instances().instance_ids(&console.members[0]).send().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        let findings = fixture.findings().await;
        assert!(findings.iter().any(|finding| finding.contains("is not running")), "{findings:?}");
        let refused = fixture.run("repair-1", json!({"fleet": "appwrite", "restore": true})).await;
        assert!(refused.starts_with("Refused") && refused.contains("nothing to repair"), "{refused}");
        console.untag(1).await;
        assert_eq!(fixture.run("repair-1", json!({"fleet": "appwrite", "restore": true})).await, "succeeded");
        assert_eq!(fixture.record("repair-1").await.size, 2);
        let stopped = console.ec2.describe_instances().instance_ids(&console.members[0]).send().await.unwrap();
        let state = stopped.reservations()[0].instances()[0].state().unwrap().name().unwrap().clone();
        assert_eq!(state.as_str(), "stopped");

        let begin = functions::Step::named("begin").unwrap();
        let state = json!({"Name": "Begin", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0});
        assert_eq!(fixture.record("repair-1").await.failure, None);
        console.ec2.start_instances().instance_ids(&console.members[0]).send().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(300)).await;
        let request = json!({"fleet": "appwrite", "to": "1.5.11"});
        begin.invoke(&fixture.aws("begin"), json!({"run": "run-2", "state": state, "request": request})).await.unwrap();
        let refused = fixture.run("repair-2", json!({"fleet": "appwrite", "restore": true})).await;
        assert!(refused.starts_with("Refused") && refused.contains("run run-2 holds"), "{refused}");
    })
    .unwrap();
}
