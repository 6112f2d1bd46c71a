//! The backup of the data that is made before the first migration: a migration has no other way back.

use crate::{DbInstanceId, DbSnapshotId, InstanceId, SnapshotId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the data lives on, and so what is backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Written")]
pub enum DataSource {
    /// The data server: a snapshot of each of its volumes, all of one moment.
    DataServer(InstanceId),
    /// An RDS instance: a snapshot of it.
    DbInstance(DbInstanceId),
}

/// The same as it is written. Read as a plain table, an error points to the key that is wrong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    data_server: Option<InstanceId>,
    db_instance: Option<DbInstanceId>,
}

impl TryFrom<Written> for DataSource {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match (written.data_server, written.db_instance) {
            (Some(server), None) => Ok(Self::DataServer(server)),
            (None, Some(db)) => Ok(Self::DbInstance(db)),
            _ => Err("backup: expected one of data_server = \"i-…\" and db_instance = \"NAME\", and not both"),
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

/// The backup that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataBackup {
    /// Of what.
    pub of: DataSource,
    /// When it was last asked for; what is in it is from then.
    pub asked: Timestamp,
    /// What was made, once it is known.
    pub made: Option<Backup>,
}

/// What a backup is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backup {
    /// Snapshots of volumes, one a volume.
    Snapshots(Vec<SnapshotId>),
    /// A snapshot of an RDS instance.
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
