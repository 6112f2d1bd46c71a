//! Images and snapshots.

use std::collections::BTreeMap;

use super::instance::Installed;
use crate::clock::Time;

/// An image. A deregistered image stays for the report.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) foreign: bool,
    pub(crate) made_by: String,
    pub(crate) source: Option<String>,
    pub(crate) created: Time,
    /// From when on Describe calls show the image.
    pub(crate) visible: Time,
    pub(crate) state: ImageState,
    /// What is installed on the instances cloned from the image.
    pub(crate) installed: Installed,
    /// The index of its one snapshot.
    pub(crate) snapshot: usize,
}

/// The image states that the simulator supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageState {
    Pending,
    Available,
    Failed,
    Deregistered,
}

impl ImageState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ImageState::Pending => "pending",
            ImageState::Available => "available",
            ImageState::Failed => "failed",
            ImageState::Deregistered => "deregistered",
        }
    }
}

/// A snapshot of an image, or a backup of the data.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) volume: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) foreign: bool,
    pub(crate) made_by: String,
    pub(crate) started: Time,
    pub(crate) visible: Time,
    pub(crate) state: SnapshotState,
    /// The index of its image. A backup has none.
    pub(crate) image: Option<usize>,
}

/// The snapshot states that the simulator supports, and `Deleted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotState {
    Pending,
    Completed,
    Error,
    Deleted,
}

impl SnapshotState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SnapshotState::Pending => "pending",
            SnapshotState::Completed => "completed",
            SnapshotState::Error => "error",
            SnapshotState::Deleted => "deleted",
        }
    }
}
