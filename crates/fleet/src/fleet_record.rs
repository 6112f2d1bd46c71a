//! The fleet's record in the ledger: its configuration, its golden image and its lock.

use crate::{Config, FleetName, ImageId, KeptImage, Refusal, Run, RunId, SCHEMA, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A fleet as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct FleetRecord {
    /// The version of this record's shape.
    pub schema: u32,
    /// The configuration as it was applied.
    pub config: Config,
    /// The image that members are cloned from now; none as long as none was taken of a member.
    pub golden: Option<Golden>,
    /// The images that are kept beside it, the latest first.
    pub images: Vec<KeptImage>,
    /// The run that may change the fleet, if one is going.
    pub lock: Option<Lock>,
    /// The scale-out that joined the run which held the fleet then, until it is over; there is one at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joining: Option<RunId>,
    /// Rises with every lock that is granted or taken over; a step whose execution has a lower number came too late.
    pub fence: u64,
}

/// The record as it may stand in the ledger.
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

/// An image and what is installed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Golden {
    /// The image.
    pub image: ImageId,
    /// The version installed in it.
    pub version: Version,
    /// If it was taken of a member: the images of those that stood then. Their clones are as good as those of this one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub alike: BTreeSet<ImageId>,
}

impl Golden {
    /// An image in which a version is installed.
    pub fn new(image: ImageId, version: Version) -> Self {
        Self { image, version, alike: BTreeSet::new() }
    }

    /// Whether a clone of `image` is a member as it should be.
    pub fn has_member_of(&self, image: &ImageId) -> bool {
        self.image == *image || self.alike.contains(image)
    }
}

/// The right to change a fleet, held by one run from its begin to its end, both of which are recorded together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The run that holds it.
    pub run: RunId,
    /// The fencing number it was granted under.
    pub fence: u64,
    /// When the run is over by its own limits, if anybody goes on with it. Until then it is taken over only from an
    /// execution that is known to be dead.
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

    /// The version that the members run: what is installed in the golden image, and without one what is declared.
    pub fn version(&self) -> Version {
        self.golden.as_ref().map_or(self.config.fleet.version, |golden| golden.version)
    }

    /// The golden image, for whoever cannot do without.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn to_be_cloned(&self) -> Result<&Golden, Refusal> {
        self.golden.as_ref().ok_or_else(|| Refusal::NoGoldenImage { fleet: self.name().clone() })
    }

    /// The run for whose end others wait: the one that has the lock, or else a scale-out that has joined one.
    pub fn held_by(&self) -> Option<&RunId> {
        self.lock.as_ref().map(|lock| &lock.run).or(self.joining.as_ref())
    }

    /// The fencing number of the next lock.
    pub fn next_fence(&self) -> u64 {
        self.fence + 1
    }

    /// Grants the lock to `run`, under the run's fencing number.
    pub fn lock(&mut self, run: &Run, now: Timestamp) {
        self.fence = run.fence;
        self.lock = Some(Lock { run: run.run.id.clone(), fence: run.fence, lease: Some(run.lease_end(now)) });
    }
}
