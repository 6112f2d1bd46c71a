//! Backs up the data before the first migration, if the configuration names the data. Only a backup can undo a migration.
//! Ends when the backup is complete.
//!
//! Not undone: the backup stays, and the run's outcome names it. Repeating the step finds the backup that it requested.
//! EC2 has no client token for snapshots of volumes: if an answer is lost before EC2 describes the snapshots, the step
//! takes a second set, and both sets stay.

use super::wait::wait;
use crate::aws::{Aws, Progress};
use crate::{AllowedPhase, StepError, Versioned};
use fleet::{Backup, DataBackup, DataSource, DbInstanceId, InstanceId, Run, StateContext, Ticket, db_snapshot_id};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

/// The time after a request within which EC2 describes the new snapshots. EC2 is eventually consistent, usually by seconds.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
const VISIBLE_WITHIN: SignedDuration = SignedDuration::from_secs(60);

pub(crate) async fn run(aws: &Aws, Input { run, state }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    match run.record.config.backup.clone() {
        None => Ok(Output {}),
        Some(DataSource::DataServer(server)) => volumes(aws, &mut run, &server, &state).await,
        Some(DataSource::DbInstance(db)) => db_instance(aws, &mut run, &db, &state).await,
    }
}

async fn volumes(
    aws: &Aws,
    run: &mut Versioned<Run>,
    server: &InstanceId,
    state: &StateContext,
) -> Result<Output, StepError> {
    let found = aws.backup_snapshots(&run.record.run).await?;
    let known = run.record.backup.as_ref().and_then(|backup| backup.made.as_ref());
    let limit = run.record.config.limits.backup;
    let made = match known {
        Some(Backup::Snapshots(made)) => made.clone(),
        _ if may_appear(aws, &run.record) => {
            return wait(aws, state, limit, format!("snapshots of data server {server} may have been requested"));
        }
        // An earlier attempt requested them and lost the answer. By now EC2 describes all of them.
        _ if !found.is_empty() => {
            let made: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
            record_made(aws, run, Backup::Snapshots(made.clone())).await?;
            made
        }
        _ => {
            record_request(aws, run, DataSource::DataServer(server.clone())).await?;
            match aws.snapshot_volumes(&run.record, server).await {
                Ok(made) => {
                    record_made(aws, run, Backup::Snapshots(made.clone())).await?;
                    made
                }
                Err(error) if error.is_busy() => return wait(aws, state, limit, error),
                Err(error) => return Err(error.into()),
            }
        }
    };
    for id in &made {
        match found.iter().find(|(seen, _)| seen == id) {
            Some((_, Progress::Done)) => {}
            None | Some((_, Progress::Pending)) => {
                return wait(aws, state, limit, format!("snapshot {id} of data server {server} is being taken"));
            }
            Some((_, Progress::Failed(why))) => {
                return Err(StepError::Failed(format!("snapshot {id} of data server {server} failed: {why}")));
            }
        }
    }
    Ok(Output {})
}

async fn db_instance(
    aws: &Aws,
    run: &mut Versioned<Run>,
    db: &DbInstanceId,
    state: &StateContext,
) -> Result<Output, StepError> {
    let snapshot = db_snapshot_id(&run.record.run);
    let limit = run.record.config.limits.backup;
    let waiting = || wait(aws, state, limit, format!("snapshot {snapshot} of RDS instance {db} is being taken"));
    match aws.db_snapshot(&snapshot).await? {
        None => {
            if run.record.backup.is_none() {
                record_request(aws, run, DataSource::DbInstance(db.clone())).await?;
            }
            match aws.snapshot_db(&run.record, db, &snapshot).await {
                Err(error) if error.is_busy() => return wait(aws, state, limit, error),
                Err(error) if !error.is_duplicate_db_snapshot() => return Err(error.into()),
                _ => {}
            }
            record_made(aws, run, Backup::DbSnapshot(snapshot.clone())).await?;
            waiting()
        }
        Some(Progress::Pending) => waiting(),
        Some(Progress::Failed(why)) => Err(StepError::Failed(format!("snapshot {snapshot} of {db} is {why}"))),
        Some(Progress::Done) => {
            if run.record.backup.as_ref().is_some_and(|backup| backup.made.is_none()) {
                record_made(aws, run, Backup::DbSnapshot(snapshot)).await?;
            }
            Ok(Output {})
        }
    }
}

/// Whether the run requested snapshots that EC2 may not describe yet.
fn may_appear(aws: &Aws, run: &Run) -> bool {
    run.backup.as_ref().is_some_and(|backup| aws.now().duration_since(backup.asked) < VISIBLE_WITHIN)
}

/// Records that the run is about to request a backup.
async fn record_request(aws: &Aws, run: &mut Versioned<Run>, of: DataSource) -> Result<(), StepError> {
    run.record.backup = Some(DataBackup { of, asked: aws.now(), made: None });
    aws.ledger().write(run).await
}

/// Records the backup that the run made.
async fn record_made(aws: &Aws, run: &mut Versioned<Run>, made: Backup) -> Result<(), StepError> {
    if let Some(backup) = &mut run.record.backup {
        backup.made = Some(made);
    }
    aws.ledger().write(run).await
}
