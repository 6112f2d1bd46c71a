//! Ends a run: records its outcome and releases the lock. If the run succeeded, its image becomes the golden image. An image
//! whose members failed goes into quarantine. A frozen fleet stays locked, so that only an operator's repair changes it.
//!
//! Not undone. All changes are one transaction. Repeating the step, even with another outcome, returns how the run ended.

use crate::StepError;
use crate::aws::Aws;
use fleet::{DataBackup, FleetRecord, ImageId, Outcome, Phase, Run, RunRef, StateContext, Ticket, Version, Workflow};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    #[expect(dead_code, reason = "every step gets it; this step never waits")]
    state: StateContext,
    outcome: End,
    failure: Option<Failure>,
    rollback_failure: Option<Failure>,
}

/// The path on which the state machine reached its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    /// The forward path. Definitions of earlier releases say `upgraded`.
    #[serde(alias = "upgraded")]
    Done,
    /// The rollback path.
    RolledBack,
    /// Neither path reached its end.
    Frozen,
}

/// The error that a state machine caught.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: String,
    cause: Option<String>,
}

impl Failure {
    /// The error's name and its text, without the JSON that Lambda wraps around the text.
    fn text(self) -> String {
        let cause = self.cause.unwrap_or_default();
        let wrapped: Option<serde_json::Value> = serde_json::from_str(&cause).ok();
        let message = wrapped.as_ref().and_then(|wrapped| wrapped["errorMessage"].as_str()).unwrap_or(&cause);
        format!("{}: {message}", self.error)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    outcome: Outcome,
    run: RunRef,
    from: Version,
    to: Version,
    size: u32,
    image: Option<ImageId>,
    failure: Option<String>,
    /// The versions to which the run began to migrate the data. Only the backup undoes a migration.
    migrations: Vec<Version>,
    backup: Option<DataBackup>,
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().admit(&input.run).await?;
    let fleet = aws.ledger().fleet(&input.run.fleet).await?;
    let mut fleet = fleet.ok_or_else(|| fleet::Refusal::UnknownFleet { fleet: input.run.fleet.clone() })?;

    let outcome = if let Phase::Ended(outcome) = run.record.phase {
        outcome
    } else {
        let outcome = match input.outcome {
            End::Done | End::RolledBack if run.record.workflow == Workflow::ScaleOut => {
                // On either path, the members that it added decide the outcome.
                let added =
                    aws.ledger().members_of(&run.record.run).await?.is_some_and(|members| !members.ids.is_empty());
                if !added && run.record.phase == Phase::Forward {
                    run.record.roll_back(aws.now())?;
                }
                if added { Outcome::Scaled } else { Outcome::RolledBack }
            }
            End::Done => run.record.workflow.done(),
            End::RolledBack => run.record.workflow.rolled_back(),
            End::Frozen => Outcome::Frozen,
        };
        run.record.move_to(Phase::Ended(outcome))?;
        run.record.ended = Some(aws.now());
        // A restore reaches its goal by its rollback path.
        let failed = outcome != Outcome::Restored;
        let failures =
            [input.failure, input.rollback_failure].into_iter().flatten().filter(|_| failed).map(Failure::text);
        run.record.failure = failures.reduce(|first, second| format!("{first}; then, during the rollback, {second}"));
        // The record of a frozen run does not expire, since the run still holds the lock.
        if outcome != Outcome::Frozen {
            run.record.expires = run.record.expiry();
            fleet.record.joining.take_if(|joining| *joining == run.record.run.id);
            // Only its own lock: an operator may have released it, and another run may hold the lock now.
            if fleet.record.lock.as_ref().is_some_and(|lock| lock.run == run.record.run.id) {
                release(&mut fleet.record, &run.record, input.outcome);
            }
        }
        aws.ledger().write_both(&run, &fleet).await?;
        outcome
    };
    let migrations = run.record.migrations().to_vec();
    let from = run.record.from();
    let Run { run, to, size, image, failure, backup, .. } = run.record;
    Ok(Output { outcome, run, from, to, size, image, failure, migrations, backup })
}

/// Promotes the run's image or puts it into quarantine, and releases the lock.
fn release(fleet: &mut FleetRecord, run: &Run, end: End) {
    match (end, run.successor(), &run.image_failure) {
        (End::Done, Some((golden, because)), _) => fleet.promote(golden, because),
        (End::RolledBack, Some((golden, _)), Some(why)) => fleet.quarantine(golden.image, golden.version, why.clone()),
        _ => {}
    }
    fleet.lock = None;
}
