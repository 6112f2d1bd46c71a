//! Backs the data up before the first migration, if the configuration says what to back up: a migration has no other way
//! back. Ends when the backup is complete.
//!
//! Not undone: the backup stays, and the run's outcome names it. Asked again, it finds what it asked for. Volumes'
//! snapshots have no token: should an answer be lost before they can be seen, a second set is taken, and both stay.

use super::wait::wait;
use crate::aws::{Aws, Progress};
use crate::{Going, Read, StepError};
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

/// So long after it was asked for, a snapshot that exists is seen: EC2's describes lag, by seconds as a rule.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
const SEEN_WITHIN: SignedDuration = SignedDuration::from_secs(60);

pub(crate) async fn run(aws: &Aws, Input { run, state }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, Going::Forward).await?;
    match run.record.config.backup.clone() {
        None => Ok(Output {}),
        Some(DataSource::DataServer(server)) => volumes(aws, &mut run, &server, &state).await,
        Some(DataSource::DbInstance(db)) => db_instance(aws, &mut run, &db, &state).await,
    }
}

async fn volumes(
    aws: &Aws,
    run: &mut Read<Run>,
    server: &InstanceId,
    state: &StateContext,
) -> Result<Output, StepError> {
    let found = aws.backup_snapshots(&run.record.run).await?;
    let known = run.record.backup.as_ref().and_then(|backup| backup.made.as_ref());
    let limit = run.record.config.limits.backup;
    let made = match known {
        Some(Backup::Snapshots(made)) => made.clone(),
        _ if may_appear(aws, &run.record) => {
            return wait(aws, state, limit, format!("snapshots of data server {server} may have been asked for"));
        }
        // An earlier attempt's, whose answer was lost; by now all of them can be seen.
        _ if !found.is_empty() => {
            let made: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
            record(aws, run, Backup::Snapshots(made.clone())).await?;
            made
        }
        _ => {
            ask(aws, run, DataSource::DataServer(server.clone())).await?;
            match aws.snapshot_volumes(&run.record, server).await {
                Ok(made) => {
                    record(aws, run, Backup::Snapshots(made.clone())).await?;
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
            None | Some((_, Progress::Going)) => {
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
    run: &mut Read<Run>,
    db: &DbInstanceId,
    state: &StateContext,
) -> Result<Output, StepError> {
    let snapshot = db_snapshot_id(&run.record.run);
    let limit = run.record.config.limits.backup;
    let waiting = || wait(aws, state, limit, format!("snapshot {snapshot} of RDS instance {db} is being taken"));
    match aws.db_snapshot(&snapshot).await? {
        None => {
            if run.record.backup.is_none() {
                ask(aws, run, DataSource::DbInstance(db.clone())).await?;
            }
            match aws.snapshot_db(&run.record, db, &snapshot).await {
                Err(error) if error.is_busy() => return wait(aws, state, limit, error),
                Err(error) if !error.is_duplicate_db_snapshot() => return Err(error.into()),
                _ => {}
            }
            record(aws, run, Backup::DbSnapshot(snapshot.clone())).await?;
            waiting()
        }
        Some(Progress::Going) => waiting(),
        Some(Progress::Failed(why)) => Err(StepError::Failed(format!("snapshot {snapshot} of {db} is {why}"))),
        Some(Progress::Done) => {
            if run.record.backup.as_ref().is_some_and(|backup| backup.made.is_none()) {
                record(aws, run, Backup::DbSnapshot(snapshot)).await?;
            }
            Ok(Output {})
        }
    }
}

/// Whether something was asked for that cannot be described everywhere yet.
fn may_appear(aws: &Aws, run: &Run) -> bool {
    run.backup.as_ref().is_some_and(|backup| aws.now().duration_since(backup.asked) < SEEN_WITHIN)
}

/// Records that a backup is about to be asked for.
async fn ask(aws: &Aws, run: &mut Read<Run>, of: DataSource) -> Result<(), StepError> {
    run.record.backup = Some(DataBackup { of, asked: aws.now(), made: None });
    aws.ledger().write(run).await
}

async fn record(aws: &Aws, run: &mut Read<Run>, made: Backup) -> Result<(), StepError> {
    if let Some(backup) = &mut run.record.backup {
        backup.made = Some(made);
    }
    aws.ledger().write(run).await
}
