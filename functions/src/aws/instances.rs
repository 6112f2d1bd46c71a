//! Instances: found by tag, started, stopped, terminated, tagged. Pages and batches are hidden.

use super::{Aws, CallError, Named};
use aws_sdk_ec2::types::{Filter, InstanceStateName, Tag};
use fleet::{AnyTag, FLEET_TAG, FleetName, ImageId, InstanceId, ROLE_TAG, RUN_TAG, Role, RunRef, Zone};
use jiff::Timestamp;

/// The largest number of ids in one TerminateInstances, CreateTags or DeleteTags.
const BATCH: usize = 1000;
/// The largest page of DescribeInstances, DescribeImages and DescribeSnapshots.
pub(super) const PAGE: i32 = 1000;

/// An instance as EC2 described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its state.
    pub state: InstanceState,
    /// The image it was launched from.
    pub image: ImageId,
    /// Its availability zone.
    pub zone: Zone,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    tags: Vec<(String, String)>,
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Being launched or started.
    Pending,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// Being terminated, or terminated.
    Gone,
}

impl Instance {
    /// Whether EC2 is not terminating it and has not terminated it.
    pub fn is_alive(&self) -> bool {
        self.state != InstanceState::Gone
    }

    /// Whether it carries `tag`.
    pub fn carries(&self, tag: &AnyTag) -> bool {
        self.tag(&tag.key) == Some(&tag.value)
    }

    /// The value of its tag `key`.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Whether a run launched it for `role`.
    pub fn is_for(&self, role: Role) -> bool {
        self.tag(ROLE_TAG) == Some(role.as_str())
    }
}

impl Aws {
    /// Every instance that is not [`Gone`](InstanceState::Gone) and carries all of `tags`, in order of id.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn instances_tagged(&self, tags: &[(&str, &str)]) -> Result<Vec<Instance>, CallError> {
        let mut found = self.instances(tagged(tags).chain([not_gone()])).await?;
        // EC2 may evaluate the filter and read the state at different times.
        found.retain(Instance::is_alive);
        Ok(found)
    }

    /// Every instance of a fleet that is not [`Gone`](InstanceState::Gone): members and builders.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn instances_of_fleet(&self, fleet: &FleetName) -> Result<Vec<Instance>, CallError> {
        self.instances_tagged(&[(FLEET_TAG, fleet.as_str())]).await
    }

    /// Every instance that a run launched and that is not [`Gone`](InstanceState::Gone). Both tags count, since runs of two
    /// fleets may have the same id.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn instances_of_run(&self, run: &RunRef) -> Result<Vec<Instance>, CallError> {
        self.instances_tagged(&of_run(run)).await
    }

    /// Every instance that a run launched, with those that EC2 terminated in the last hour or so.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn launched_by_run(&self, run: &RunRef) -> Result<Vec<Instance>, CallError> {
        self.instances(tagged(&of_run(run))).await
    }

    /// Whether any instance of the account that is not [`Gone`](InstanceState::Gone) is a clone of the image.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn has_clones(&self, image: &ImageId) -> Result<bool, CallError> {
        let of_image = Filter::builder().name("image-id").values(image.as_str()).build();
        Ok(self.instances([of_image, not_gone()]).await?.iter().any(Instance::is_alive))
    }

    async fn instances(&self, filters: impl IntoIterator<Item = Filter>) -> Result<Vec<Instance>, CallError> {
        let filters = filters.into_iter().collect();
        let mut pages =
            self.ec2.describe_instances().set_filters(Some(filters)).max_results(PAGE).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.of("DescribeInstances")?;
            let reservations = page.reservations().iter();
            found.extend(reservations.flat_map(|reservation| reservation.instances()).filter_map(instance));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Stops an instance. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn stop(&self, id: &InstanceId) -> Result<(), CallError> {
        self.ec2.stop_instances().instance_ids(id.as_str()).send().await.of("StopInstances").map(drop)
    }

    /// Starts an instance. Returns its state before the call, from the answer of EC2, which is always current. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// Any error of EC2; [`CallError::is_wrong_state`] while the instance is stopping.
    pub async fn start(&self, id: &InstanceId) -> Result<InstanceState, CallError> {
        let answer = self.ec2.start_instances().instance_ids(id.as_str()).send().await.of("StartInstances")?;
        let was = answer.starting_instances().first().and_then(|change| change.previous_state()?.name());
        Ok(was.map_or(InstanceState::Pending, state))
    }

    /// Terminates instances. Returns whether all of them are [`Gone`](InstanceState::Gone). Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of EC2. A protected instance keeps EC2 from terminating the others in its zone, but not those in other zones.
    pub async fn terminate(&self, ids: &[&InstanceId]) -> Result<bool, CallError> {
        let mut gone = 0;
        for batch in ids.chunks(BATCH) {
            let call = self.ec2.terminate_instances().set_instance_ids(Some(strings(batch)));
            let answer = call.send().await.of("TerminateInstances")?;
            let states = answer.terminating_instances().iter().filter_map(|change| change.current_state()?.name());
            gone += states.filter(|name| state(name) == InstanceState::Gone).count();
        }
        Ok(gone == ids.len())
    }

    /// Adds `tag` to instances. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn tag(&self, ids: &[&InstanceId], tag: &AnyTag) -> Result<(), CallError> {
        for batch in ids.chunks(BATCH) {
            let call = self.ec2.create_tags().set_resources(Some(strings(batch))).tags(ec2_tag(&tag.key, &tag.value));
            call.send().await.of("CreateTags")?;
        }
        Ok(())
    }

    /// Removes `tag` from instances that carry it with this value. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn untag(&self, ids: &[&InstanceId], tag: &AnyTag) -> Result<(), CallError> {
        for batch in ids.chunks(BATCH) {
            let call = self.ec2.delete_tags().set_resources(Some(strings(batch))).tags(ec2_tag(&tag.key, &tag.value));
            call.send().await.of("DeleteTags")?;
        }
        Ok(())
    }
}

fn of_run(run: &RunRef) -> [(&str, &str); 2] {
    [(FLEET_TAG, run.fleet.as_str()), (RUN_TAG, run.id.as_str())]
}

pub(super) fn tagged(tags: &[(&str, &str)]) -> impl Iterator<Item = Filter> {
    tags.iter().map(|(key, value)| Filter::builder().name(format!("tag:{key}")).values(*value).build())
}

/// Filters for instances that are not [`Gone`](InstanceState::Gone).
fn not_gone() -> Filter {
    use InstanceStateName::{Pending, Running, Stopped, Stopping};
    let states = [Pending, Running, Stopping, Stopped].map(|state| state.as_str().to_owned());
    Filter::builder().name("instance-state-name").set_values(Some(states.into())).build()
}

pub(super) fn ec2_tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn strings(ids: &[&InstanceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn state(name: &InstanceStateName) -> InstanceState {
    match name {
        InstanceStateName::Pending => InstanceState::Pending,
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::Stopping => InstanceState::Stopping,
        InstanceStateName::Stopped => InstanceState::Stopped,
        _ => InstanceState::Gone,
    }
}

/// The instance that EC2 described, or none if EC2 left out a field that every instance has.
fn instance(described: &aws_sdk_ec2::types::Instance) -> Option<Instance> {
    let tags = described.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    Some(Instance {
        id: described.instance_id()?.parse().ok()?,
        state: state(described.state()?.name()?),
        image: described.image_id()?.parse().ok()?,
        zone: described.placement()?.availability_zone()?.parse().ok()?,
        launched: described.launch_time().and_then(|at| Timestamp::from_second(at.secs()).ok()),
        tags: tags.collect(),
    })
}
