//! What an image and its snapshot are.

use std::collections::BTreeMap;

use super::instance::Installed;
use crate::clock::Time;

/// An image. Once deregistered it is kept for the report's sake only.
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
    /// When describes begin to know it.
    pub(crate) visible: Time,
    pub(crate) state: ImageState,
    /// What its clones carry.
    pub(crate) installed: Installed,
    /// The place of its one snapshot.
    pub(crate) snapshot: usize,
}

/// The states of an image that the simulator knows.
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

/// A snapshot: of an image, or a backup of the data.
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
    /// The place of the image it was made for; a backup's is made for none.
    pub(crate) image: Option<usize>,
}

/// The states of a snapshot.
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
