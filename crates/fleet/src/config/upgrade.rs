//! How an upgrade proceeds: the section `upgrade`.

use crate::{Span, Version, Windows, hops::APPWRITE_HOPS};
use serde::{Deserialize, Serialize};

/// How an upgrade proceeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Upgrade {
    /// The number of staying members that enter service first.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub canary: u32,
    /// How long the canary bakes before the other staying members enter service. At most 2h.
    pub canary_bake: Span,
    /// How long all staying members bake before the run commits and deletes the leaving members. At most 2h.
    pub bake: Span,
    /// Whether an operator must approve before the run commits.
    pub approval: bool,
    /// The names of CloudWatch alarms that must exist, and must not be in the `ALARM` state, when an upgrade begins and while
    /// its members bake.
    pub alarms: Vec<String>,
    /// The SSM document that installs and migrates one hop on the builder.
    pub configure_document: String,
    /// The hops: the last version of each migration class, in rising order. An upgrade installs and migrates each hop between
    /// its two versions, then the wanted version. The default is the list for Appwrite.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(deserialize_with = "crate::legacy::hops")]
    pub hops: Vec<Version>,
    /// What a run does when it fails before its commit.
    pub on_failure: OnFailure,
    /// The windows in which upgrades may run: an upgrade must end inside one of them. Without windows, an upgrade may run at
    /// any time. A golden-image run must begin inside a window. Scaling runs and reverts ignore windows.
    #[serde(skip_serializing_if = "Windows::is_empty")]
    pub windows: Windows,
    /// The version to which the next window upgrades the fleet by itself. It needs at least one window in `windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Version"))]
    pub wanted: Option<Version>,
    /// The number of kept images beside the golden image, those in quarantine included. The last good image is always kept.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub keep_images: u32,
}

/// What a run does when it fails before its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The run rolls back.
    Rollback,
    /// The run freezes, so that an operator can inspect it. `fleetwright repair` then rolls it back.
    Freeze,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            canary: 1,
            canary_bake: Span::minutes(1),
            bake: Span::minutes(5),
            approval: false,
            alarms: Vec::new(),
            configure_document: "fleetwright-configure".to_owned(),
            hops: APPWRITE_HOPS.to_vec(),
            on_failure: OnFailure::Rollback,
            windows: Windows::default(),
            wanted: None,
            keep_images: 3,
        }
    }
}
