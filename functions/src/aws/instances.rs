//! Instances: found by tag, stopped, terminated, tagged; pages and batches hidden.

use super::{Aws, CallError, Named};
use aws_sdk_ec2::types::{Filter, InstanceStateName, Tag};
use fleet::{AnyTag, FLEET_TAG, FleetName, ImageId, InstanceId, ROLE_TAG, RUN_TAG, Role, RunRef, Zone};
use jiff::Timestamp;

/// At most so many ids in one TerminateInstances, CreateTags or DeleteTags.
const BATCH: usize = 1000;
/// The largest page that DescribeInstances, DescribeImages and DescribeSnapshots give.
pub(super) const PAGE: i32 = 1000;

/// An instance as it was described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Where it is in its life.
    pub state: InstanceState,
    /// The image it was launched from.
    pub image: ImageId,
    /// Where it stands.
    pub zone: Zone,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    tags: Vec<(String, String)>,
}

/// Where an instance is in its life.
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
    /// Being terminated, or terminated: on its way out for good.
    Gone,
}

impl Instance {
    /// Whether it is not on its way out for good.
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
    /// Every instance that carries all of `tags` and is not on its way out for good, in order of id.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn instances_tagged(&self, tags: &[(&str, &str)]) -> Result<Vec<Instance>, CallError> {
        let mut found = self.instances(tagged(tags).chain([standing()])).await?;
        // Filter and state need not be of one instant.
        found.retain(Instance::is_alive);
        Ok(found)
    }

    /// Every instance of a fleet that is not on its way out for good: members and builders.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn instances_of_fleet(&self, fleet: &FleetName) -> Result<Vec<Instance>, CallError> {
        self.instances_tagged(&[(FLEET_TAG, fleet.as_str())]).await
    }

    /// Every instance that a run launched and that is not on its way out for good. Both tags count, since two fleets may
    /// have runs of one name.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn instances_of_run(&self, run: &RunRef) -> Result<Vec<Instance>, CallError> {
        self.instances_tagged(&of_run(run)).await
    }

    /// Every instance that a run launched; those terminated in the last hour or so are among them.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn launched_by_run(&self, run: &RunRef) -> Result<Vec<Instance>, CallError> {
        self.instances(tagged(&of_run(run))).await
    }

    /// Whether any instance that is not on its way out for good is a clone of the image, whoever's it is.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn has_clones(&self, image: &ImageId) -> Result<bool, CallError> {
        let of_image = Filter::builder().name("image-id").values(image.as_str()).build();
        Ok(self.instances([of_image, standing()]).await?.iter().any(Instance::is_alive))
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
    /// Whatever EC2 answers.
    pub async fn stop(&self, id: &InstanceId) -> Result<(), CallError> {
        self.ec2.stop_instances().instance_ids(id.as_str()).send().await.of("StopInstances").map(drop)
    }

    /// Starts an instance; answers where in its life it was by then, by EC2's own answer, which does not lag. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// Whatever EC2 answers; [`CallError::is_wrong_state`] as long as it is being stopped.
    pub async fn start(&self, id: &InstanceId) -> Result<InstanceState, CallError> {
        let answer = self.ec2.start_instances().instance_ids(id.as_str()).send().await.of("StartInstances")?;
        let was = answer.starting_instances().first().and_then(|change| change.previous_state()?.name());
        Ok(was.map_or(InstanceState::Pending, state))
    }

    /// Terminates instances; answers whether all of them are on their way out for good. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever EC2 answers: a protected instance fails the others of its zone, while those of other zones go.
    pub async fn terminate(&self, ids: &[&InstanceId]) -> Result<bool, CallError> {
        let mut going = 0;
        for batch in ids.chunks(BATCH) {
            let call = self.ec2.terminate_instances().set_instance_ids(Some(strings(batch)));
            let answer = call.send().await.of("TerminateInstances")?;
            let states = answer.terminating_instances().iter().filter_map(|change| change.current_state()?.name());
            going += states.filter(|name| state(name) == InstanceState::Gone).count();
        }
        Ok(going == ids.len())
    }

    /// Puts `tag` on instances. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever EC2 answers.
    pub async fn tag(&self, ids: &[&InstanceId], tag: &AnyTag) -> Result<(), CallError> {
        for batch in ids.chunks(BATCH) {
            let call = self.ec2.create_tags().set_resources(Some(strings(batch))).tags(ec2_tag(&tag.key, &tag.value));
            call.send().await.of("CreateTags")?;
        }
        Ok(())
    }

    /// Takes `tag` off instances, if it has the tag's value. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever EC2 answers.
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

/// Who is not on its way out for good.
fn standing() -> Filter {
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

/// What EC2 described, or nothing where it left out what every instance has.
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
