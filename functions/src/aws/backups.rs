//! Backups of the data: snapshots of a data server's volumes, or of an RDS instance.
//!
//! A repeated attempt finds snapshots of volumes by the run's tags, and an RDS snapshot by its name, which derives from the run.

use super::instances::{PAGE, ec2_tag};
use super::{Aws, CallError, Named};
use aws_sdk_ec2::types::{Filter, InstanceSpecification, ResourceType, SnapshotState, TagSpecification};
use aws_sdk_rds::types::Tag;
use fleet::{DbInstanceId, DbSnapshotId, FLEET_TAG, InstanceId, ROLE_TAG, RUN_TAG, Run, RunRef, SnapshotId};

/// The value of the role tag on a backup.
const BACKUP: &str = "backup";

/// The progress of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// AWS is still making it.
    Pending,
    /// It is complete.
    Done,
    /// It failed, for this reason that AWS gives.
    Failed(String),
}

impl Aws {
    /// Takes a snapshot of every volume of the data server, all at the same point in time. Returns the ids. The call has no
    /// client token, so repeating it takes more snapshots: call [`Aws::backup_snapshots`] first.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn snapshot_volumes(&self, run: &Run, server: &InstanceId) -> Result<Vec<SnapshotId>, CallError> {
        let tags = tags(&run.run).map(|(key, value)| ec2_tag(key, value)).to_vec();
        let tagged = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(tags)).build();
        let answer = self
            .ec2
            .create_snapshots()
            .instance_specification(InstanceSpecification::builder().instance_id(server.as_str()).build())
            .description(format!("the data of {} before {}, by run {}", run.run.fleet, run.to, run.run.id))
            .tag_specifications(tagged)
            .send()
            .await
            .of("CreateSnapshots")?;
        let ids = answer.snapshots().iter().filter_map(|made| made.snapshot_id()?.parse().ok());
        Ok(ids.collect())
    }

    /// The snapshots that the run took of the data server's volumes, each with its progress, in order of id.
    ///
    /// # Errors
    /// Any error of EC2.
    pub async fn backup_snapshots(&self, run: &RunRef) -> Result<Vec<(SnapshotId, Progress)>, CallError> {
        let filters = tags(run).map(|(key, value)| Filter::builder().name(format!("tag:{key}")).values(value).build());
        let call = self.ec2.describe_snapshots().owner_ids("self").set_filters(Some(filters.to_vec()));
        let mut pages = call.max_results(PAGE).into_paginator().send();
        let mut found: Vec<(SnapshotId, Progress)> = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.of("DescribeSnapshots")?.snapshots().iter().filter_map(|snapshot| {
                let progress = match snapshot.state()? {
                    SnapshotState::Completed => Progress::Done,
                    SnapshotState::Error => {
                        Progress::Failed(snapshot.state_message().unwrap_or("no reason given").to_owned())
                    }
                    _ => Progress::Pending,
                };
                Some((snapshot.snapshot_id()?.parse().ok()?, progress))
            }));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Takes a snapshot of an RDS instance. Its name is unique: repeating the call fails with
    /// [`CallError::is_duplicate_db_snapshot`] and takes no second snapshot.
    ///
    /// # Errors
    /// Any error of RDS.
    pub async fn snapshot_db(&self, run: &Run, db: &DbInstanceId, snapshot: &DbSnapshotId) -> Result<(), CallError> {
        let tags = tags(&run.run).map(|(key, value)| Tag::builder().key(key).value(value).build());
        let call = self.rds.create_db_snapshot().db_instance_identifier(db.as_str());
        let call = call.db_snapshot_identifier(snapshot.as_str()).set_tags(Some(tags.to_vec()));
        call.send().await.of("CreateDBSnapshot").map(drop)
    }

    /// The progress of an RDS snapshot, if it exists.
    ///
    /// # Errors
    /// Any error of RDS.
    pub async fn db_snapshot(&self, snapshot: &DbSnapshotId) -> Result<Option<Progress>, CallError> {
        let call = self.rds.describe_db_snapshots().db_snapshot_identifier(snapshot.as_str());
        let answer = match call.send().await.of("DescribeDBSnapshots") {
            Err(error) if error.is_db_snapshot_missing() => return Ok(None),
            answer => answer?,
        };
        Ok(answer.db_snapshots().first().map(|found| match found.status().unwrap_or_default() {
            "available" => Progress::Done,
            status @ ("failed" | "deleting" | "incompatible-restore") => Progress::Failed(status.to_owned()),
            _ => Progress::Pending,
        }))
    }
}

fn tags(run: &RunRef) -> [(&str, &str); 3] {
    [(FLEET_TAG, run.fleet.as_str()), (RUN_TAG, run.id.as_str()), (ROLE_TAG, BACKUP)]
}
