//! Images: created with a name that derives from the run, found by that name, deregistered with their snapshots.

use super::instances::{PAGE, ec2_tag, tagged};
use super::{Aws, CallError, Named};
use aws_sdk_ec2::types::{Filter, ResourceType, SnapshotReturnCodes, TagSpecification};
use fleet::{
    FLEET_TAG, FleetName, ImageId, InstanceId, MadeSnapshot, RUN_TAG, Run, RunId, RunRef, VERSION_TAG, image_name,
};

/// An image as EC2 described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Whether it can be launched from.
    pub state: ImageState,
    tags: Vec<(String, String)>,
}

impl Image {
    /// Whether its tags say that the run made it.
    pub fn is_of(&self, run: &RunRef) -> bool {
        self.tag(FLEET_TAG) == Some(run.fleet.as_str()) && self.made_by().as_ref() == Some(&run.id)
    }

    /// Whether its tags say that a run of the fleet made it.
    pub fn is_made_by(&self, fleet: &FleetName) -> bool {
        self.tag(FLEET_TAG) == Some(fleet.as_str()) && self.made_by().is_some()
    }

    /// The run that made it, if its tags name one.
    pub fn made_by(&self) -> Option<RunId> {
        self.tag(RUN_TAG)?.parse().ok()
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }
}

/// Whether an image can be launched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageState {
    /// Still being made.
    Pending,
    /// Instances can be launched from it.
    Available,
    /// It will never be available, for this reason that EC2 gives.
    Unusable(String),
}

impl Aws {
    /// The image with this id, if it exists and EC2 describes it.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn image(&self, id: &ImageId) -> Result<Option<Image>, CallError> {
        match self.ec2.describe_images().image_ids(id.as_str()).send().await.of("DescribeImages") {
            Ok(answer) => Ok(answer.images().iter().find_map(image)),
            Err(error) if error.is_not_visible_yet() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The image that `run` made, if it exists and EC2 describes it.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn image_of_run(&self, run: &Run) -> Result<Option<Image>, CallError> {
        let name = Filter::builder().name("name").values(image_name(&run.run, run.to)).build();
        let answer = self.ec2.describe_images().owners("self").filters(name).send().await.of("DescribeImages")?;
        Ok(answer.images().iter().find_map(image))
    }

    /// The images that runs of a fleet made, in order of id.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn images_of_fleet(&self, fleet: &FleetName) -> Result<Vec<Image>, CallError> {
        let call = self.ec2.describe_images().owners("self").set_filters(Some(of_fleet_with(fleet, RUN_TAG)));
        let mut pages = call.max_results(PAGE).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.of("DescribeImages")?.images().iter().filter_map(image));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The snapshots of the images that runs of a fleet made, in order of id, whether the images still exist or not. Backups
    /// of the data are not among them, since they carry no version tag.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn snapshots_of_images(&self, fleet: &FleetName) -> Result<Vec<MadeSnapshot>, CallError> {
        let filters = of_fleet_with(fleet, VERSION_TAG);
        let call = self.ec2.describe_snapshots().owner_ids("self").set_filters(Some(filters));
        let mut pages = call.max_results(PAGE).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.of("DescribeSnapshots")?.snapshots().iter().filter_map(|snapshot| {
                let run = snapshot.tags().iter().find(|tag| tag.key() == Some(RUN_TAG))?.value()?.parse().ok()?;
                Some(MadeSnapshot { id: snapshot.snapshot_id()?.parse().ok()?, run })
            }));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Creates the run's image of a stopped instance. The image's name is unique: repeating the call fails with
    /// [`CallError::is_duplicate_image_name`] and creates nothing.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn create_image(&self, run: &Run, of: &InstanceId) -> Result<Option<ImageId>, CallError> {
        let version = run.to.to_string();
        let tags =
            [(FLEET_TAG, run.run.fleet.as_str()), (RUN_TAG, run.run.id.as_str()), (VERSION_TAG, version.as_str())];
        let tagged = |resource: ResourceType| {
            let tags = tags.iter().map(|(key, value)| ec2_tag(key, value)).collect();
            TagSpecification::builder().resource_type(resource).set_tags(Some(tags)).build()
        };
        let answer = self
            .ec2
            .create_image()
            .instance_id(of.as_str())
            .name(image_name(&run.run, run.to))
            .description(format!("{} {} by run {}", run.run.fleet, run.to, run.run.id))
            .tag_specifications(tagged(ResourceType::Image))
            .tag_specifications(tagged(ResourceType::Snapshot))
            .send()
            .await
            .of("CreateImage")?;
        Ok(answer.image_id().and_then(|id| id.parse().ok()))
    }

    /// Deregisters an image and deletes its snapshots. It succeeds if the image does not exist any more.
    ///
    /// # Errors
    /// Any error of EC2, and a snapshot that was not deleted.
    pub async fn delete_image(&self, id: &ImageId) -> Result<(), CallError> {
        let call = self.ec2.deregister_image().image_id(id.as_str()).delete_associated_snapshots(true);
        let answer = match call.send().await.of("DeregisterImage") {
            Ok(answer) => answer,
            Err(error) if error.is_image_gone() => return Ok(()),
            // A policy that requires tags denies the call for an image that is gone, since it has no tags.
            Err(error) if error.is_denied() && self.image(id).await?.is_none() => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut results = answer.delete_snapshot_results().iter();
        let failed = results.find_map(|result| match result.return_code()? {
            SnapshotReturnCodes::Success | SnapshotReturnCodes::WarnSkipped => None,
            code => Some((result.snapshot_id().unwrap_or_default(), code.as_str())),
        });
        match failed {
            None => Ok(()),
            Some((snapshot, code)) => {
                Err(CallError::refused("DeregisterImage", code, format!("{snapshot} of {id} was not deleted")))
            }
        }
    }
}

/// Filters for resources with the fleet tag and with a tag of that key.
fn of_fleet_with(fleet: &FleetName, key: &str) -> Vec<Filter> {
    let with_key = Filter::builder().name("tag-key").values(key).build();
    tagged(&[(FLEET_TAG, fleet.as_str())]).chain([with_key]).collect()
}

fn image(described: &aws_sdk_ec2::types::Image) -> Option<Image> {
    use aws_sdk_ec2::types::ImageState as Name;
    let reason = described.state_reason().and_then(|reason| reason.message()).unwrap_or("no reason given");
    let state = match described.state()? {
        Name::Pending => ImageState::Pending,
        Name::Available => ImageState::Available,
        other => ImageState::Unusable(format!("{}: {reason}", other.as_str())),
    };
    let tags = described.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    Some(Image { id: described.image_id()?.parse().ok()?, state, tags: tags.collect() })
}
