//! The record of all changes: who changed which resource, and how. The invariants are checked on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::Time;
use crate::ec2::image::ImageState;
use crate::ec2::instance::InstanceState;
use crate::elb::OWN_GROUP;
use crate::elb::target::Health;
use crate::process::ProcessCall;
use crate::state::State;

/// The record of a rehearsal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// How many calls each operation had.
    pub(crate) calls: BTreeMap<Arc<str>, u64>,
    /// The requests that the simulator does not support.
    pub(crate) unsupported: BTreeSet<String>,
    /// The denials, in IAM's words.
    pub(crate) denied: BTreeSet<String>,
    /// Changes of resources that are not the fleet's.
    pub(crate) foreign_changes: Vec<String>,
    /// When each run made its first and its last change.
    pub(crate) changes: BTreeMap<String, (Time, Time)>,
    /// The inventory at the first call of each run.
    pub(crate) before: BTreeMap<String, Inventory>,
    /// Images that were deregistered while members in service were clones of them.
    pub(crate) lost_images: Vec<String>,
    /// How many processes ran.
    pub(crate) processes: u64,
    /// Every call that a process made.
    pub(crate) trail: Vec<ProcessCall>,
}

/// What belongs to the fleet at a time, as far as a run may have to restore it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// State and tags of each instance, without those that are terminated or shutting down.
    pub(crate) instances: BTreeMap<String, (InstanceState, BTreeMap<String, String>)>,
    /// The registered images.
    pub(crate) images: BTreeSet<String>,
    /// The targets in the fleet's group, without those that drain.
    pub(crate) targets: BTreeSet<String>,
}

impl Journal {
    /// How many calls each operation had.
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.iter().map(|(operation, count)| (operation.to_string(), *count)).collect()
    }
}

impl State {
    pub(crate) fn inventory(&self) -> Inventory {
        let instances = self.ec2.instances.iter().filter(|one| !one.foreign && !one.state.gone());
        let images = self.ec2.images.iter().filter(|image| !image.foreign && image.registered());
        let targets = self.groups[OWN_GROUP].targets.iter().filter(|(_, target)| target.health != Health::Draining);
        Inventory {
            instances: instances.map(|one| (one.id.clone(), (one.state, one.tags.clone()))).collect(),
            images: images.map(|image| image.id.clone()).collect(),
            targets: targets.map(|(index, _)| self.ec2.instances[*index].id.clone()).collect(),
        }
    }

    /// Records the inventory at the first call of a run. The run has to leave or restore it.
    pub(crate) fn note_first_call(&mut self) {
        if !self.journal.before.contains_key(&self.caller.run) {
            let before = self.inventory();
            self.journal.before.insert(self.caller.run.clone(), before);
        }
    }

    /// Records that the caller changes an instance.
    pub(crate) fn touch_instance(&mut self, operation: &str, instance: usize) {
        let this = &self.ec2.instances[instance];
        self.touch(operation, &this.id.clone(), this.foreign);
    }

    /// Records that the caller changes an image.
    pub(crate) fn touch_image(&mut self, operation: &str, image: usize) {
        let this = &self.ec2.images[image];
        self.touch(operation, &this.id.clone(), this.foreign);
    }

    /// Records that the caller changes a snapshot.
    pub(crate) fn touch_snapshot(&mut self, operation: &str, snapshot: usize) {
        let this = &self.ec2.snapshots[snapshot];
        self.touch(operation, &this.id.clone(), this.foreign);
    }

    /// Records that the caller registers or deregisters a target.
    pub(crate) fn touch_target(&mut self, operation: &str, group: usize, instance: usize) {
        let this = &self.ec2.instances[instance];
        self.touch(operation, &this.id.clone(), this.foreign || group != OWN_GROUP);
    }

    fn touch(&mut self, operation: &str, id: &str, foreign: bool) {
        let now = self.now;
        if !self.caller.run.is_empty() {
            match self.journal.changes.get_mut(&self.caller.run) {
                Some((_, last)) => *last = now,
                None => {
                    self.journal.changes.insert(self.caller.run.clone(), (now, now));
                }
            }
        }
        if foreign {
            self.journal.foreign_changes.push(format!("{} called {operation} on {id}", self.caller.function));
        }
    }

    /// Records an image that is about to be deregistered while a member in service is a clone of it.
    pub(crate) fn note_lost_golden_image(&mut self, image: usize) {
        let this = &self.ec2.images[image];
        let clones = self.ec2.instances.iter().enumerate();
        let mut members = clones.filter(|(index, one)| one.spec.image == this.id && self.in_service.contains(*index));
        if let (ImageState::Available, Some((_, member))) = (this.state, members.next()) {
            let note = format!("{} was deregistered while its clone {} was in service", this.id, member.id);
            self.journal.lost_images.push(note);
        }
    }
}
