//! The fleet's record in the ledger: its configuration, its golden image and its lock.

use crate::{Config, FleetName, ImageId, RunId, SCHEMA, Version};
use serde::{Deserialize, Serialize};

/// A fleet as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetRecord {
    /// The version of this record's shape.
    pub schema: u32,
    /// The configuration as it was applied.
    pub config: Config,
    /// The image that members are cloned from now.
    pub golden: Golden,
    /// The golden image before that, kept to go back to.
    pub previous: Option<Golden>,
    /// The run that may change the fleet, if one is going.
    pub lock: Option<Lock>,
    /// Rises with every lock that is granted; a step whose lock has a lower number came too late.
    pub fence: u64,
}

/// An image and what is installed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Golden {
    /// The image.
    pub image: ImageId,
    /// The version installed in it.
    pub version: Version,
}

/// The right to change a fleet, held by one run from its begin to its end, both of which are recorded together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The run that holds it.
    pub run: RunId,
    /// The fencing number it was granted under.
    pub fence: u64,
}

impl FleetRecord {
    /// The record of a fleet whose configuration is applied for the first time.
    pub fn new(config: Config) -> Self {
        let golden = Golden { image: config.fleet.golden_image.clone(), version: config.fleet.version };
        Self { schema: SCHEMA, config, golden, previous: None, lock: None, fence: 0 }
    }

    /// The fleet's name.
    pub fn name(&self) -> &FleetName {
        &self.config.fleet.name
    }

    /// Grants the lock to `run` and raises the fence.
    pub fn lock(&mut self, run: RunId) {
        self.fence += 1;
        self.lock = Some(Lock { run, fence: self.fence });
    }

    /// Makes `golden` the image that members are cloned from; the one before is kept to go back to.
    pub fn crown(&mut self, golden: Golden) {
        if self.golden != golden {
            self.previous = Some(std::mem::replace(&mut self.golden, golden));
        }
    }
}
