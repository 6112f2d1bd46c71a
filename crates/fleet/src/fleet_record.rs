//! The fleet's record in the ledger: its configuration, its golden image and its lock.

use crate::{Config, FleetName, ImageId, KeptImage, Refusal, Run, RunId, SCHEMA, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A fleet's record in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct FleetRecord {
    /// The version of this record's form: [`SCHEMA`].
    pub schema: u32,
    /// The configuration that was applied last.
    pub config: Config,
    /// The golden image. A fleet without one can get one from a golden-image run.
    pub golden: Option<Golden>,
    /// The kept images, the latest first.
    pub images: Vec<KeptImage>,
    /// The run that may change the fleet, if there is one.
    pub lock: Option<Lock>,
    /// The scale-out that has joined an upgrade, until the scale-out ends. At most one scale-out joins at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joining: Option<RunId>,
    /// The fencing number: it grows with each grant of the lock. A step with a lower number does nothing.
    pub fence: u64,
}

/// The forms of the record that the ledger may hold, those of earlier releases included.
#[derive(Deserialize)]
struct Stored {
    schema: u32,
    config: Config,
    golden: Option<Golden>,
    #[serde(default)]
    images: Vec<KeptImage>,
    /// The one image that earlier releases kept.
    #[serde(default)]
    previous: Option<Golden>,
    lock: Option<Lock>,
    #[serde(default)]
    joining: Option<RunId>,
    fence: u64,
}

impl From<Stored> for FleetRecord {
    fn from(stored: Stored) -> Self {
        let Stored { schema, config, golden, mut images, previous, lock, joining, fence } = stored;
        images.extend(previous.map(|Golden { image, version, .. }| KeptImage { image, version, quarantine: None }));
        Self { schema, config, golden, images, lock, joining, fence }
    }
}

/// A golden image and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Golden {
    /// The image.
    pub image: ImageId,
    /// The version installed in it.
    pub version: Version,
    /// Images whose clones count as members of this golden image. If a golden-image run took the image of a member, these are
    /// the images of the fleet's members at that time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub alike: BTreeSet<ImageId>,
}

impl Golden {
    /// A golden image with no alike images.
    pub fn new(image: ImageId, version: Version) -> Self {
        Self { image, version, alike: BTreeSet::new() }
    }

    /// Whether a clone of `image` counts as a member of this golden image.
    pub fn has_member_of(&self, image: &ImageId) -> bool {
        self.image == *image || self.alike.contains(image)
    }
}

/// The lock: the right to change a fleet. One transaction records the lock and the begin of its run. Another one releases the
/// lock and records the run's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The run that holds the lock.
    pub run: RunId,
    /// The fencing number of this grant.
    pub fence: u64,
    /// The lease: the time by which the run must have ended, from the sum of its limits. Before that time, another execution
    /// resumes the run only if its own execution is known to be dead.
    #[serde(default)]
    pub lease: Option<Timestamp>,
}

impl FleetRecord {
    /// The record of a fleet whose configuration is applied for the first time.
    pub fn new(config: Config) -> Self {
        let version = config.fleet.version;
        let golden = config.fleet.golden_image.clone().map(|image| Golden::new(image, version));
        Self { schema: SCHEMA, config, golden, images: Vec::new(), lock: None, joining: None, fence: 0 }
    }

    /// The fleet's name.
    pub fn name(&self) -> &FleetName {
        &self.config.fleet.name
    }

    /// The version that the members run: that of the golden image, or without one that of the configuration.
    pub fn version(&self) -> Version {
        self.golden.as_ref().map_or(self.config.fleet.version, |golden| golden.version)
    }

    /// The golden image, for a run that clones it.
    ///
    /// # Errors
    /// [`Refusal::NoGoldenImage`] if the fleet has none yet.
    pub fn to_be_cloned(&self) -> Result<&Golden, Refusal> {
        self.golden.as_ref().ok_or_else(|| Refusal::NoGoldenImage { fleet: self.name().clone() })
    }

    /// The run that other runs wait for: the run that holds the lock, or else a scale-out that has joined an upgrade.
    pub fn held_by(&self) -> Option<&RunId> {
        self.lock.as_ref().map(|lock| &lock.run).or(self.joining.as_ref())
    }

    /// The fencing number of the next grant of the lock.
    pub fn next_fence(&self) -> u64 {
        self.fence + 1
    }

    /// Grants the lock to `run` with the run's fencing number.
    pub fn lock(&mut self, run: &Run, now: Timestamp) {
        self.fence = run.fence;
        self.lock = Some(Lock { run: run.run.id.clone(), fence: run.fence, lease: Some(run.lease_end(now)) });
    }
}
