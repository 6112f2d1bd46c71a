//! The backup of the data before the first migration. Only a backup can undo a migration.

use crate::{DbInstanceId, DbSnapshotId, InstanceId, SnapshotId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The data server, which a run backs up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "BackupSection")]
pub enum DataSource {
    /// An EC2 instance. Its backup is a snapshot of each of its volumes, all of the same point in time.
    DataServer(InstanceId),
    /// An RDS instance. Its backup is a DB snapshot.
    DbInstance(DbInstanceId),
}

/// The section `backup` as it is written: exactly one of two keys.
// Serde reads a plain table, so that an error names the line of the wrong key.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("oneOf" = [{ "required": ["data_server"] }, { "required": ["db_instance"] }]))
)]
#[serde(deny_unknown_fields)]
struct BackupSection {
    /// The EC2 instance that holds the data. Its backup is a snapshot of each of its volumes, all of the same point in time.
    #[cfg_attr(feature = "schema", schemars(with = "InstanceId", default))]
    data_server: Option<InstanceId>,
    /// The RDS instance that holds the data. Its backup is a DB snapshot.
    #[cfg_attr(feature = "schema", schemars(with = "DbInstanceId", default))]
    db_instance: Option<DbInstanceId>,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DataSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DataSource".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BackupSection::json_schema(generator)
    }
}

/// A section `backup` that does not name exactly one data server.
#[derive(Debug, thiserror::Error)]
#[error("backup: expected one of data_server = \"i-…\" and db_instance = \"NAME\", and not both")]
struct InvalidBackup;

impl TryFrom<BackupSection> for DataSource {
    type Error = InvalidBackup;

    fn try_from(written: BackupSection) -> Result<Self, Self::Error> {
        match (written.data_server, written.db_instance) {
            (Some(server), None) => Ok(Self::DataServer(server)),
            (None, Some(db)) => Ok(Self::DbInstance(db)),
            _ => Err(InvalidBackup),
        }
    }
}

impl std::fmt::Display for DataSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DataServer(id) => write!(f, "data server {id}"),
            Self::DbInstance(id) => write!(f, "RDS instance {id}"),
        }
    }
}

/// The backup of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataBackup {
    /// The data server that was backed up.
    pub of: DataSource,
    /// When the run last requested the backup. The backup holds the data of that time.
    pub asked: Timestamp,
    /// The snapshots, once they are known.
    pub made: Option<Backup>,
}

/// The snapshots of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backup {
    /// EBS snapshots, one for each volume.
    Snapshots(Vec<SnapshotId>),
    /// A DB snapshot of an RDS instance.
    DbSnapshot(DbSnapshotId),
}

impl std::fmt::Display for DataBackup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.made {
            None => write!(f, "a backup of {} that is not known to exist", self.of)?,
            Some(Backup::Snapshots(ids)) => {
                let ids = ids.iter().map(SnapshotId::as_str).collect::<Vec<_>>().join(", ");
                write!(f, "{ids} of {}", self.of)?;
            }
            Some(Backup::DbSnapshot(id)) => write!(f, "{id} of {}", self.of)?,
        }
        write!(f, ", as of {:.0}", self.asked)
    }
}
