//! The state at the start, from a description of the world.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::Caller;
use crate::buckets::Buckets;
use crate::dice::Dice;
use crate::dynamodb::Table;
use crate::ec2::Ec2;
use crate::ec2::image::{Image, ImageState, Snapshot, SnapshotState};
use crate::ec2::instance::{Installed, InstanceState, Spec};
use crate::elb::target::{Health, Target};
use crate::elb::{Group, OWN_GROUP};
use crate::events::{Event, Queue};
use crate::faults::{Fault, Faults, Kind, WorldFault};
use crate::iam::Authorizer;
use crate::in_service::InService;
use crate::journal::Journal;
use crate::state::State;
use crate::traffic::Traffic;
use crate::world::{Subnet, Tag, World};

/// The group that the foreign instances are in.
const FOREIGN_GROUP: usize = OWN_GROUP + 1;

impl State {
    /// Creates the golden image and its members, all in service, and the foreign instances. Arms the faults.
    pub(crate) fn new(world: World, faults: Vec<Fault>) -> State {
        let world = Arc::new(world);
        let mut state = State {
            dice: Dice::new(world.seed),
            faults: Faults::default(),
            now: Duration::ZERO,
            queue: Queue::default(),
            buckets: Buckets::default(),
            caller: Arc::new(Caller { run: String::new(), function: String::new() }),
            authorizer: Authorizer::default(),
            ec2: Ec2::default(),
            groups: vec![Group { arn: world.target_group.clone(), targets: BTreeMap::new() }],
            registered: 0,
            commands: Vec::new(),
            db_snapshots: Vec::new(),
            table: Table::default(),
            traffic: Traffic::new(world.requests_per_second, world.latencies.long_request),
            in_service: InService::new(),
            spans: Vec::new(),
            journal: Journal::default(),
            world,
        };
        state.add_members();
        state.add_foreign_instances();
        state.arm(faults);
        state
    }

    /// Arms further faults. They count calls from now on.
    pub(crate) fn arm(&mut self, faults: Vec<Fault>) {
        for fault in &faults {
            if let Kind::World(WorldFault::MemberDies { at }) = fault.0 {
                self.queue.schedule_fault(at, Event::MemberDies);
            }
        }
        self.faults.add(faults);
    }

    fn add_members(&mut self) {
        let world = Arc::clone(&self.world);
        let version = Tag { key: world.version_tag_key.clone(), value: world.version.clone() };
        let installed = Installed { version: Some(world.version.clone()), sound: true };
        let image = world.golden_image.clone();
        self.add_image(
            image.clone(),
            world.image_name.clone(),
            &[world.fleet_tag.clone(), version],
            installed.clone(),
            false,
        );
        let tags = tag_map(&[world.fleet_tag.clone(), world.load_balancer_tag.clone()]);
        for (subnet, count) in spread(&world.subnets, world.members) {
            let spec = Arc::new(self.spec(&image, &world.member_type, subnet));
            for _ in 0..count {
                let index = self.add_running(&spec, tags.clone(), installed.clone());
                let target = Target::new(self.now, Health::Healthy, 0, false);
                self.groups[OWN_GROUP].targets.insert(index, target);
                self.reroute(index);
            }
        }
    }

    fn add_foreign_instances(&mut self) {
        let world = Arc::clone(&self.world);
        if world.foreign_instances.is_empty() {
            return;
        }
        let image = self.dice.id("ami", u64::MAX);
        // Foreign instances do not run the fleet's application.
        let installed = Installed { version: None, sound: false };
        let name = Tag { key: "Name".to_owned(), value: "someone-else".to_owned() };
        self.add_image(image.clone(), "someone-elses-image".to_owned(), &[name], installed.clone(), true);
        let group = world.target_group.rsplit_once(":targetgroup/").map_or("", |(start, _)| start);
        let arn = format!("{group}:targetgroup/someone-else/0123456789abcdef");
        self.groups.push(Group { arn, targets: BTreeMap::new() });
        for foreign in &world.foreign_instances {
            for (subnet, count) in spread(&world.subnets, foreign.count) {
                let spec = Arc::new(self.spec(&image, &world.member_type, subnet));
                for _ in 0..count {
                    let index = self.add_running(&spec, tag_map(&foreign.tags), installed.clone());
                    self.ec2.instances[index].foreign = true;
                    let target = Target::new(self.now, Health::Healthy, 0, false);
                    self.groups[FOREIGN_GROUP].targets.insert(index, target);
                }
            }
        }
    }

    fn add_image(&mut self, id: String, name: String, tags: &[Tag], installed: Installed, foreign: bool) {
        let (image, snapshot) = (self.ec2.images.len(), self.ec2.snapshots.len());
        self.ec2.snapshots.push(Snapshot {
            id: self.dice.id("snap", snapshot as u64),
            volume: self.dice.id("vol", u64::MAX - snapshot as u64),
            tags: tag_map(tags),
            foreign,
            made_by: String::new(),
            started: self.now,
            visible: self.now,
            state: SnapshotState::Completed,
            image: Some(image),
        });
        self.ec2.images.push(Image {
            id,
            name,
            description: None,
            tags: tag_map(tags),
            foreign,
            made_by: String::new(),
            source: None,
            created: self.now,
            visible: self.now,
            state: ImageState::Available,
            installed,
            snapshot,
        });
    }

    fn spec(&self, image: &str, instance_type: &str, subnet: &Subnet) -> Spec {
        Spec {
            reservation: self.dice.id("r", self.ec2.instances.len() as u64),
            image: image.to_owned(),
            instance_type: instance_type.to_owned(),
            subnet: subnet.clone(),
            security_groups: self.world.security_groups.clone(),
            instance_profile: self.world.instance_profile.clone(),
            key_name: None,
            client_token: None,
            detailed_monitoring: false,
            http_tokens: "required".to_owned(),
            made_by: String::new(),
        }
    }

    /// Adds an instance that was up, serving and reporting before the start.
    fn add_running(&mut self, spec: &Arc<Spec>, tags: BTreeMap<String, String>, installed: Installed) -> usize {
        let now = self.now;
        let index = self.add_instance(spec, tags, installed);
        let instance = &mut self.ec2.instances[index];
        instance.state = InstanceState::Running;
        instance.boots = 1;
        instance.serving = Some(now);
        (instance.agent, instance.agent_seen) = (Some(now), true);
        (instance.checked, instance.checks_seen) = (Some(now), true);
        index
    }
}

/// Spreads `count` over the subnets as evenly as possible. The first subnets get the remainder.
fn spread(subnets: &[Subnet], count: u32) -> impl Iterator<Item = (&Subnet, usize)> {
    let (count, places) = (count as usize, subnets.len().max(1));
    subnets.iter().enumerate().map(move |(n, subnet)| (subnet, count / places + usize::from(n < count % places)))
}

fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}
