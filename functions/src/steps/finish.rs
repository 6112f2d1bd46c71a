//! Ends a run: records its outcome, makes the new image the golden one if it was upgraded, and releases the lock.
//! A frozen fleet stays locked, so that nothing but a person's repair touches it.
//!
//! Not undone. All of it is one transaction; asked again, or for another outcome when the run is over,
//! it answers how the run ended.

use crate::aws::Aws;
use crate::{Read, StepError};
use fleet::{FleetRecord, Golden, ImageId, Outcome, Phase, Run, RunRef, StateContext, Version};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long the record of a finished run is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: RunRef,
    #[expect(dead_code, reason = "every step gets it; nothing here waits")]
    state: StateContext,
    outcome: Outcome,
    failure: Option<Failure>,
    rollback_failure: Option<Failure>,
}

/// The error that a state machine caught.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: String,
    cause: Option<String>,
}

impl Failure {
    /// Its name and its text; Lambda wraps the text into JSON.
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
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let run = aws.ledger().run(&input.run).await?;
    let mut run = run.ok_or_else(|| StepError::Refused(format!("{} is not in the ledger", input.run)))?;
    let fleet = aws.ledger().fleet(&input.run.fleet).await?;
    let mut fleet = fleet.ok_or_else(|| fleet::Refusal::UnknownFleet { fleet: input.run.fleet.clone() })?;

    let outcome = if let Phase::Ended(outcome) = run.record.phase {
        outcome
    } else {
        run.record.move_to(Phase::Ended(input.outcome))?;
        run.record.ended = Some(aws.now());
        let failures = [input.failure, input.rollback_failure].into_iter().flatten().map(Failure::text);
        run.record.failure = failures.reduce(|first, second| format!("{first}; then, turning back, {second}"));
        // A frozen run is kept, since it still holds the fleet.
        if input.outcome != Outcome::Frozen {
            run.record.expires = run.record.ended.and_then(|ended| ended.saturating_add(KEPT).ok());
            release(&mut fleet, &run.record, input.outcome);
        }
        aws.ledger().end(&run, &fleet).await?;
        input.outcome
    };
    let Run { run, golden, to, size, image, failure, .. } = run.record;
    Ok(Output { outcome, run, from: golden.version, to, size, image, failure })
}

fn release(fleet: &mut Read<FleetRecord>, run: &Run, outcome: Outcome) {
    if let (Outcome::Upgraded, Some(image)) = (outcome, &run.image) {
        fleet.record.crown(Golden { image: image.clone(), version: run.to });
    }
    fleet.record.lock = None;
}
