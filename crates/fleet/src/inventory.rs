//! The inventory of a fleet: everything on AWS that carries its fleet tag, and what of it should exist.

use crate::{FleetRecord, Golden, Health, ImageId, InstanceId, Member, Role, RunId, SnapshotId, Zone};
use serde::{Deserialize, Serialize};

/// All instances, images and snapshots that carry the fleet tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The instances that are not terminated, in order of id.
    pub instances: Vec<FleetInstance>,
    /// The existing images that the fleet's runs made, in order of id.
    pub images: Vec<MadeImage>,
    /// The snapshots of images that the fleet's runs made, in order of id. Filled only when an operator observes the fleet.
    #[serde(default)]
    pub snapshots: Vec<MadeSnapshot>,
}

/// An instance of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetInstance {
    /// The instance.
    pub id: InstanceId,
    /// The image it is a clone of.
    pub image: ImageId,
    /// Its availability zone.
    pub zone: Zone,
    /// Whether its state is `running`.
    pub running: bool,
    /// Whether it carries the load-balancer tag.
    pub tagged: bool,
    /// The health of its target.
    pub health: Health,
    /// Its role, if a run launched it.
    pub role: Option<Role>,
    /// The run that launched it, if one did.
    pub run: Option<RunId>,
}

/// An image that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeImage {
    /// The image.
    pub id: ImageId,
    /// The run that made it.
    pub run: RunId,
}

/// A snapshot of an image that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeSnapshot {
    /// The snapshot.
    pub id: SnapshotId,
    /// The run that made the image.
    pub run: RunId,
}

/// What an instance is to its fleet while no run holds the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is running, and it carries the load-balancer tag, is registered, or is a clone of the golden image.
    Member,
    /// A left-over of an ended run: a builder, or a clone of another image that receives no traffic.
    LeftOver,
    /// An operator must decide: it is not running, or no run made it and it is not a clone of the golden image.
    Unclear,
}

impl FleetInstance {
    /// Whether it is registered with the target group and does not drain.
    pub fn is_registered(&self) -> bool {
        !matches!(self.health, Health::Out | Health::Draining)
    }

    /// What the instance is to a fleet with this golden image.
    pub fn place(&self, golden: Option<&Golden>) -> Place {
        let builder = self.role == Some(Role::Builder);
        // An instance that no run made can be a clone of an image that members were once set up on, without being a member.
        let cloned = golden.is_some_and(|golden| match self.run {
            Some(_) => golden.has_member_of(&self.image),
            None => golden.image == self.image,
        });
        let like_a_member = !builder && (self.tagged || self.is_registered() || cloned);
        match (like_a_member, self.running) {
            (true, true) => Place::Member,
            (false, _) if self.run.is_some() => Place::LeftOver,
            _ => Place::Unclear,
        }
    }
}

/// What a restore does to return a fleet to its declared state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    /// The members after the restore.
    pub members: Vec<Member>,
    /// The members that the restore tags and registers.
    pub brought_in: Vec<InstanceId>,
    /// The left-over instances, which the restore deregisters, drains and terminates.
    pub deleted: Vec<InstanceId>,
    /// The left-over images, which the restore deregisters together with their snapshots.
    pub deregistered: Vec<ImageId>,
}

impl Restoration {
    /// Decides from the fleet's record and inventory.
    pub fn of(record: &FleetRecord, inventory: &Inventory) -> Self {
        let in_place =
            |place: Place| inventory.instances.iter().filter(move |one| one.place(record.golden.as_ref()) == place);
        // The restore does not wait for a member that already fails its health checks.
        let member = |one: &FleetInstance| Member {
            id: one.id.clone(),
            image: one.image.clone(),
            zone: one.zone.clone(),
            serves: !matches!(one.health, Health::Unhealthy(_)),
        };
        Self {
            members: in_place(Place::Member).map(member).collect(),
            brought_in: in_place(Place::Member)
                .filter(|one| !one.tagged || !one.is_registered())
                .map(|one| one.id.clone())
                .collect(),
            deleted: in_place(Place::LeftOver).map(|one| one.id.clone()).collect(),
            deregistered: inventory.left_over_images(record).map(|image| image.id.clone()).collect(),
        }
    }

    /// Whether there is nothing to restore.
    pub fn is_empty(&self) -> bool {
        self.brought_in.is_empty() && self.deleted.is_empty() && self.deregistered.is_empty()
    }
}

impl Inventory {
    /// The images that are neither golden nor kept, and whose only clones are left-overs.
    pub fn left_over_images<'a>(&'a self, record: &'a FleetRecord) -> impl Iterator<Item = &'a MadeImage> {
        self.images.iter().filter(|image| {
            let mut clones = self.instances.iter().filter(|one| one.image == image.id);
            record.golden.as_ref().is_none_or(|golden| image.id != golden.image)
                && record.images.iter().all(|kept| kept.image != image.id)
                && clones.all(|one| one.place(record.golden.as_ref()) == Place::LeftOver)
        })
    }

    /// The snapshots whose image no longer exists. EC2 deregisters an image even if it may not delete the image's snapshots.
    pub fn orphaned_snapshots(&self) -> impl Iterator<Item = &MadeSnapshot> {
        self.snapshots.iter().filter(|snapshot| self.images.iter().all(|image| image.run != snapshot.run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn instance(id: &str, golden: &Golden) -> FleetInstance {
        FleetInstance {
            id: id.parse().unwrap(),
            image: golden.image.clone(),
            zone: "eu-central-1a".parse().unwrap(),
            running: true,
            tagged: true,
            health: Health::Healthy,
            role: None,
            run: None,
        }
    }

    #[test]
    fn a_restore_brings_members_in_and_deletes_left_overs_and_changes_nothing_unclear() {
        let record = FleetRecord::new(Config::from_toml(include_str!("../../../samplconfig.toml")).unwrap());
        let golden = record.golden.as_ref().unwrap();
        let [other, another, stale]: [ImageId; 3] =
            ["ami-0000000f", "ami-0000000e", "ami-0000000d"].map(|id| id.parse().unwrap());
        let by_run = |one: FleetInstance| FleetInstance { run: Some("run-1".parse().unwrap()), ..one };
        let instances = vec![
            instance("i-00000001", golden),
            FleetInstance { health: Health::Out, ..instance("i-00000002", golden) },
            by_run(FleetInstance { tagged: false, health: Health::Out, ..instance("i-00000003", golden) }),
            by_run(FleetInstance { role: Some(Role::Builder), tagged: false, ..instance("i-00000004", golden) }),
            by_run(FleetInstance {
                image: stale.clone(),
                tagged: false,
                health: Health::Out,
                ..instance("i-00000005", golden)
            }),
            // In service, although it is a clone of another image.
            by_run(FleetInstance { image: other.clone(), ..instance("i-00000006", golden) }),
            FleetInstance {
                image: another.clone(),
                tagged: false,
                health: Health::Out,
                ..instance("i-00000007", golden)
            },
            // It lost its load-balancer tag but still receives traffic.
            by_run(FleetInstance { image: other.clone(), tagged: false, ..instance("i-00000009", golden) }),
            FleetInstance { health: Health::Unhealthy("503".to_owned()), ..instance("i-0000000a", golden) },
            by_run(FleetInstance { running: false, ..instance("i-00000008", golden) }),
        ];
        let images = vec![
            MadeImage { id: golden.image.clone(), run: "run-0".parse().unwrap() },
            MadeImage { id: other, run: "run-1".parse().unwrap() },
            MadeImage { id: another, run: "run-1".parse().unwrap() },
            MadeImage { id: stale.clone(), run: "run-1".parse().unwrap() },
        ];
        let restoration = Restoration::of(&record, &Inventory { instances, images, snapshots: Vec::new() });
        let ids = |ids: Vec<&InstanceId>| ids.iter().map(|id| id.as_str()[9..].to_owned()).collect::<String>();
        assert_eq!(ids(restoration.members.iter().map(|member| &member.id).collect()), "12369a");
        assert_eq!(ids(restoration.brought_in.iter().collect()), "239");
        let unhealthy: Vec<_> =
            restoration.members.iter().filter(|member| !member.serves).map(|member| &member.id).collect();
        assert_eq!(ids(unhealthy), "a", "a restore does not wait for a member that is already unhealthy");
        assert_eq!(ids(restoration.deleted.iter().collect()), "45");
        // One of the other images has clones in service. The other has a clone that an operator must decide about.
        assert_eq!(restoration.deregistered, [stale]);
    }

    #[test]
    fn a_clone_of_an_alike_image_is_a_member_only_if_a_run_made_it() {
        let [golden, before]: [ImageId; 2] = ["ami-0000000f", "ami-0000000e"].map(|id| id.parse().unwrap());
        let golden = Golden { alike: [before.clone()].into(), ..Golden::new(golden, crate::Version::new(1, 3, 8)) };
        let outside =
            FleetInstance { image: before, tagged: false, health: Health::Out, ..instance("i-00000001", &golden) };
        let made = FleetInstance { run: Some("run-1".parse().unwrap()), ..outside.clone() };
        assert_eq!((outside.place(Some(&golden)), made.place(Some(&golden))), (Place::Unclear, Place::Member));
        assert_eq!(made.place(None), Place::LeftOver);
    }
}
