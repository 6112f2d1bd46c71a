//! The same calls to the simulated AWS and to moto, compared in what the SDK reads. Where the two differ, AWS's
//! documentation decides, and the list below has the difference with its reason.

use crate::emulators::{Moto, build_fleet, configuration, sdk_config};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Filter, InstanceSpecification, InstanceType, ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use aws_types::SdkConfig;
use fleet::{Config, DataSource};
use fleetwright::rehearse;
use simulator::{Caller, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Calls that the two answer differently: the call, and why the simulator is right.
const DIFFERENCES: [(&str, &str); 7] = [
    (
        "launch from one to two",
        "MaxCount: 'Amazon EC2 launches the largest possible number of instances above the minimum count'; moto launches the minimum",
    ),
    (
        "a malformed instance id",
        "EC2's error codes: InvalidInstanceID.Malformed; moto knows only InvalidInstanceID.NotFound",
    ),
    ("tag an unknown instance", "EC2's error codes: InvalidInstanceID.NotFound; moto accepts tags for it"),
    (
        "deregister an unknown target",
        "DeregisterTargets: 'If the specified target does not exist, the action returns successfully'; moto refuses",
    ),
    ("the same image name again", "image names are unique: InvalidAMIName.Duplicate; moto creates a second one"),
    (
        "the image after deregistering",
        "DescribeImages of a deregistered id: InvalidAMIID.Unavailable or NotFound; moto answers an empty list",
    ),
    ("targets deregistered", "a deregistered target drains for the group's delay first; moto drops it at once"),
];

struct Side {
    ec2: aws_sdk_ec2::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    config: Config,
    /// Virtual time that passes after each change. It is zero for moto, where every change takes effect at once.
    settle_time: Duration,
    seen: Vec<(&'static str, String)>,
    names: BTreeMap<String, String>,
}

impl Side {
    fn new(sdk: &SdkConfig, config: Config, settle_time: Duration) -> Self {
        let sdk = sdk.to_builder().retry_config(aws_sdk_ec2::config::retry::RetryConfig::disabled()).build();
        Self {
            ec2: aws_sdk_ec2::Client::new(&sdk),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            config,
            settle_time,
            seen: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    fn note(&mut self, call: &'static str, answer: impl Into<String>) {
        self.seen.push((call, answer.into()));
    }

    async fn settle(&self) {
        tokio::time::sleep(self.settle_time).await;
    }

    /// A name for an id, the same on both sides: `a` for the first id, `b` for the next.
    fn name(&mut self, id: &str) -> String {
        let next = char::from(b'a' + u8::try_from(self.names.len()).unwrap());
        self.names.entry(id.to_owned()).or_insert_with(|| next.to_string()).clone()
    }

    async fn make_calls(mut self) -> Vec<(&'static str, String)> {
        let launched = self.launches().await;
        self.tags(&launched).await;
        self.targets(&launched).await;
        self.images(&launched).await;
        self.backups().await;
        self.ends(&launched).await;
        self.alarms().await;
        self.table().await;
        self.seen
    }

    async fn launch(&mut self, token: &str, min: i32, max: i32) -> Result<Vec<String>, String> {
        let fleet = &self.config.fleet;
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag("who", "parity")).build();
        let answer = self
            .ec2
            .run_instances()
            .image_id(fleet.golden_image.as_ref().unwrap().as_str())
            .min_count(min)
            .max_count(max);
        let answer = answer.instance_type(InstanceType::from("c6i.large")).subnet_id(fleet.subnets[0].id.as_str());
        let answer = answer.security_group_ids(fleet.security_groups[0].as_str()).client_token(token);
        let answer = answer.tag_specifications(tags).send().await.map_err(code)?;
        Ok(answer.instances().iter().map(|one| one.instance_id().unwrap().to_owned()).collect())
    }

    async fn launches(&mut self) -> Vec<String> {
        let launched = self.launch("one", 2, 2).await.unwrap();
        let names: Vec<_> = launched.iter().map(|id| self.name(id)).collect();
        self.note("launch", names.concat());
        self.settle().await;
        self.describe("launched", &launched).await;
        let again = self.launch("one", 2, 2).await.map(|ids| (ids == launched).to_string());
        self.note("the same token again", again.unwrap_or_else(|code| code));
        let other = self.launch("one", 1, 1).await.map(|ids| ids.len().to_string());
        self.note("the same token, other parameters", other.unwrap_or_else(|code| code));
        let between = self.launch("three", 1, 2).await.unwrap().len().to_string();
        self.note("launch from one to two", between);
        let image = self.config.fleet.golden_image.clone();
        self.config.fleet.golden_image = Some("ami-0123456789abcdef9".parse().unwrap());
        let unknown = self.launch("two", 1, 1).await.unwrap_err();
        self.note("an unknown image", unknown);
        self.config.fleet.golden_image = image;
        for (what, id) in [("an unknown instance", "i-0123456789abcdef9"), ("a malformed instance id", "i-nonsense")] {
            let answer = self.ec2.describe_instances().instance_ids(id).send().await;
            self.note(what, answer.map_err(code).unwrap_err());
        }
        launched
    }

    async fn describe(&mut self, what: &'static str, ids: &[String]) {
        let answer = self.ec2.describe_instances().set_instance_ids(Some(ids.to_vec())).send().await.unwrap();
        let found = answer.reservations().iter().flat_map(|reservation| reservation.instances());
        let mut lines: Vec<_> = found
            .map(|one| {
                let mut tags: Vec<_> =
                    one.tags().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect();
                tags.sort_unstable();
                format!(
                    "{} {} {} {} {tags:?}",
                    self.names[one.instance_id().unwrap()],
                    one.state().unwrap().name().unwrap(),
                    one.instance_type().unwrap(),
                    one.placement().unwrap().availability_zone().unwrap(),
                )
            })
            .collect();
        lines.sort();
        self.note(what, lines.join(", "));
    }

    async fn tags(&mut self, ids: &[String]) {
        let of_run = || Filter::builder().name("tag:who").values("parity").build();
        let answer = self.ec2.describe_instances().filters(of_run()).max_results(1000).send().await.unwrap();
        let found = answer.reservations().iter().flat_map(|reservation| reservation.instances());
        self.note("found by tag", (found.count() >= ids.len()).to_string());
        self.ec2.create_tags().set_resources(Some(ids.to_vec())).tags(tag("in", "yes")).send().await.unwrap();
        self.describe("tagged", ids).await;
        self.ec2.delete_tags().set_resources(Some(ids.to_vec())).tags(tag("in", "no")).send().await.unwrap();
        self.describe("untagged with another value", ids).await;
        self.ec2.delete_tags().set_resources(Some(ids.to_vec())).tags(tag("in", "yes")).send().await.unwrap();
        self.describe("untagged", ids).await;
        let unknown = self.ec2.create_tags().resources("i-0123456789abcdef9").tags(tag("in", "yes")).send().await;
        self.note("tag an unknown instance", unknown.map_or_else(code, |_| "done".to_owned()));
    }

    async fn health(&mut self, what: &'static str, ids: &[String]) {
        let group = self.config.load_balancer.target_group.as_str();
        let answer =
            self.elb.describe_target_health().target_group_arn(group).set_targets(Some(targets(ids))).send().await;
        let answer = answer.unwrap();
        let mut lines: Vec<_> = answer
            .target_health_descriptions()
            .iter()
            .map(|one| {
                let health = one.target_health().unwrap();
                let reason = health.reason().map_or("", |reason| reason.as_str());
                let name = &self.names[one.target().unwrap().id().unwrap()];
                format!("{name} {} {reason}", health.state().unwrap())
            })
            .collect();
        lines.sort();
        self.note(what, lines.join(", "));
    }

    async fn targets(&mut self, ids: &[String]) {
        let group = self.config.load_balancer.target_group.to_string();
        self.health("not registered", ids).await;
        self.elb.register_targets().target_group_arn(&group).set_targets(Some(targets(ids))).send().await.unwrap();
        self.settle().await;
        self.health("registered", ids).await;
        self.elb.deregister_targets().target_group_arn(&group).set_targets(Some(targets(ids))).send().await.unwrap();
        let answer = self.elb.describe_target_health().target_group_arn(&group).send().await.unwrap();
        let listed = |id: &String| {
            let mut all = answer.target_health_descriptions().iter();
            all.any(|one| one.target().unwrap().id() == Some(id))
        };
        self.note("targets deregistered", format!("listed: {}", ids.iter().any(listed)));
        self.settle().await;
        let unknown = targets(&["i-0123456789abcdef9".to_owned()]);
        let answer = self.elb.deregister_targets().target_group_arn(&group).set_targets(Some(unknown)).send().await;
        self.note("deregister an unknown target", answer.map_or_else(code, |_| "done".to_owned()));
        let unknown = group.replace("targetgroup/appwrite", "targetgroup/nowhere");
        let answer = self.elb.describe_target_health().target_group_arn(unknown).send().await;
        self.note("an unknown group", answer.map_err(code).unwrap_err());
        let attributes = self.elb.describe_target_group_attributes().target_group_arn(&group).send().await.unwrap();
        let delay =
            attributes.attributes().iter().find(|one| one.key() == Some("deregistration_delay.timeout_seconds"));
        self.note("the deregistration delay", delay.unwrap().value().unwrap());
    }

    async fn images(&mut self, ids: &[String]) {
        self.ec2.stop_instances().instance_ids(&ids[0]).send().await.unwrap();
        self.settle().await;
        self.describe("stopped", &ids[..1]).await;
        let image = self.ec2.create_image().instance_id(&ids[0]).name("parity-1").send().await.unwrap();
        let image = image.image_id().unwrap().to_owned();
        self.settle().await;
        let answer = self.ec2.describe_images().owners("self").filters(named("parity-1")).send().await.unwrap();
        let found: Vec<_> =
            answer.images().iter().map(|one| (one.name().unwrap(), one.state().unwrap().as_str())).collect();
        self.note("the image", format!("{found:?}"));
        let again = self.ec2.create_image().instance_id(&ids[0]).name("parity-1").send().await;
        self.note("the same image name again", again.map_or_else(code, |_| "made".to_owned()));
        self.ec2.deregister_image().image_id(&image).send().await.unwrap();
        let answer = self.ec2.describe_images().image_ids(&image).send().await;
        let gone = answer.map_or_else(code, |answer| format!("{} images", answer.images().len()));
        self.note("the image after deregistering", gone);
        let again = self.ec2.deregister_image().image_id("ami-0123456789abcdef9").send().await;
        self.note("deregister an unknown image", again.map_err(code).unwrap_err());
    }

    /// Backups of the data server's volumes.
    async fn backups(&mut self) {
        let Some(DataSource::DataServer(server)) = self.config.backup.clone() else { panic!("no data server") };
        let tags =
            || TagSpecification::builder().resource_type(ResourceType::Snapshot).tags(tag("who", "backup")).build();
        let of = |id: &str| InstanceSpecification::builder().instance_id(id).build();
        let call = self.ec2.create_snapshots().instance_specification(of(server.as_str())).tag_specifications(tags());
        let made = call.send().await.unwrap();
        let volumes: BTreeSet<_> = made.snapshots().iter().map(|one| one.volume_id().unwrap()).collect();
        self.note("back up", format!("{} snapshots of {} volumes", made.snapshots().len(), volumes.len()));
        self.settle().await;
        let tagged = Filter::builder().name("tag:who").values("backup").build();
        let call = self.ec2.describe_snapshots().owner_ids("self").filters(tagged).max_results(1000);
        let answer = call.send().await.unwrap();
        let found: BTreeSet<_> = answer.snapshots().iter().map(|one| one.snapshot_id().unwrap()).collect();
        let expected: BTreeSet<_> = made.snapshots().iter().map(|one| one.snapshot_id().unwrap()).collect();
        self.note("the same snapshots are found by tag", (found == expected).to_string());
        let states: Vec<_> = answer.snapshots().iter().map(|one| one.state().unwrap().as_str()).collect();
        self.note("the backup", format!("{states:?}"));
        let unknown = self.ec2.create_snapshots().instance_specification(of("i-0123456789abcdef9")).send().await;
        self.note("back up an unknown instance", unknown.map_err(code).unwrap_err());
    }

    async fn ends(&mut self, ids: &[String]) {
        let with_unknown = self.ec2.terminate_instances().instance_ids(&ids[0]).instance_ids("i-0123456789abcdef9");
        let refused = with_unknown.send().await.map_err(code).unwrap_err();
        self.note("terminate with one unknown id", refused);
        self.describe("no instance is terminated", ids).await;
        self.ec2.terminate_instances().set_instance_ids(Some(ids.to_vec())).send().await.unwrap();
        self.settle().await;
        self.describe("terminated", ids).await;
    }

    async fn alarms(&mut self) {
        let request = self.cloudwatch.describe_alarms().alarm_names("appwrite-5xx").alarm_names("nobody's");
        let answer = request.send().await.unwrap();
        let found: Vec<_> = answer.metric_alarms().iter().map(|alarm| alarm.alarm_name().unwrap()).collect();
        self.note("alarms", format!("{found:?}"));
    }

    async fn table(&mut self) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u32| AttributeValue::N(number.to_string());
        let put = |writing: u32| {
            let put = self.dynamodb.put_item().table_name("fleetwright").item("pk", text("p")).item("sk", text("s"));
            put.item("writing", number(writing))
        };
        let create =
            || put(1).condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        let over = |read: u32, writing: u32| {
            let put = put(writing).condition_expression("#w = :read").expression_attribute_names("#w", "writing");
            put.expression_attribute_values(":read", number(read))
        };
        let mut seen = Vec::new();
        seen.push(("create", create().send().await.map_or_else(code, |_| "done".to_owned())));
        seen.push(("create again", create().send().await.map_or_else(code, |_| "done".to_owned())));
        seen.push(("write over the item as read", over(1, 2).send().await.map_or_else(code, |_| "done".to_owned())));
        seen.push(("write over an outdated item", over(1, 3).send().await.map_or_else(code, |_| "done".to_owned())));
        let both = [("p", 9), ("q", 9)].map(|(pk, writing)| {
            let put = Put::builder().table_name("fleetwright").item("pk", text(pk)).item("sk", text("s"));
            let put = put.item("writing", number(writing)).condition_expression("attribute_not_exists(pk)");
            TransactWriteItem::builder().put(put.build().unwrap()).build()
        });
        let answer = self.dynamodb.transact_write_items().set_transact_items(Some(both.into())).send().await;
        seen.push(("all or nothing", answer.map_or_else(code, |_| "done".to_owned())));
        for pk in ["p", "q"] {
            let get = self.dynamodb.get_item().table_name("fleetwright").key("pk", text(pk)).key("sk", text("s"));
            let item = get.consistent_read(true).send().await.unwrap().item;
            seen.push(("the item", format!("{:?}", item.map(|item| item["writing"].clone()))));
        }
        let unknown = self.dynamodb.get_item().table_name("nowhere").key("pk", text("p")).key("sk", text("s"));
        seen.push(("an unknown table", unknown.send().await.map_err(code).unwrap_err()));
        self.seen.extend(seen);
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn named(name: &str) -> Filter {
    Filter::builder().name("name").values(name).build()
}

fn targets(ids: &[String]) -> Vec<TargetDescription> {
    ids.iter().map(|id| TargetDescription::builder().id(id).build()).collect()
}

fn code<E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(error: SdkError<E, R>) -> String {
    error.code().unwrap_or_else(|| panic!("no code in {error:?}")).to_owned()
}

#[test]
fn simulator_and_moto_answer_alike_except_for_the_listed_differences() {
    let moto = Moto::start();
    let config = configuration(&build_fleet(&moto));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let on_moto =
        runtime.block_on(Side::new(&sdk_config(&moto.endpoint()), config.clone(), Duration::ZERO).make_calls());

    let simulated = rehearse::in_virtual_time(async {
        let simulator = Simulator::new(rehearse::world(&config), vec![]);
        let caller = Caller { run: "parity".to_owned(), function: "parity".to_owned() };
        let sdk = rehearse::sdk_config(&simulator, &config, caller);
        let seen = Side::new(&sdk, config, Duration::from_secs(600)).make_calls().await;
        assert_eq!(simulator.report().unsupported, Vec::<String>::new());
        seen
    });
    let simulated = simulated.unwrap();

    let differing: BTreeMap<_, _> = DIFFERENCES.into();
    assert_eq!(simulated.len(), on_moto.len());
    let mut differed = Vec::new();
    let mut unexplained = String::new();
    for ((call, ours), (_, theirs)) in simulated.iter().zip(&on_moto) {
        if ours != theirs {
            if !differing.contains_key(call) {
                unexplained += &format!("{call}\n  simulator: {ours}\n  moto:      {theirs}\n");
            }
            differed.push(*call);
        }
    }
    assert_eq!(unexplained, "");
    differed.sort_unstable();
    assert_eq!(differed, differing.keys().copied().collect::<Vec<_>>(), "a listed difference no longer exists");
}
