//! Ends a run: records its outcome, makes the new image the golden one if it was upgraded, and releases the lock.
//! A frozen fleet stays locked, so that nothing but a person's repair touches it.
//!
//! Not undone. Asked again, it finds the run ended and completes what is missing.

use crate::aws::Aws;
use crate::{Read, StepError};
use fleet::{FleetRecord, Golden, ImageId, Outcome, Phase, Run, RunRef, StateContext, Version};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: RunRef,
    #[expect(dead_code, reason = "every step gets it; nothing here waits")]
    state: StateContext,
    outcome: Outcome,
    failure: Option<Failure>,
}

/// The error that a state machine caught.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: String,
    cause: Option<String>,
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

    // The run first, then the lock: cut off in between, asking again completes it.
    if run.record.phase != Phase::Ended(input.outcome) {
        run.record.move_to(Phase::Ended(input.outcome))?;
        run.record.ended = Some(aws.now());
        run.record.failure = input.failure.map(|failure| match failure.cause {
            Some(cause) => format!("{}: {cause}", failure.error),
            None => failure.error,
        });
        aws.ledger().write(&mut run).await?;
    }
    let mine = fleet.record.lock.as_ref().is_some_and(|lock| lock.run == input.run.id);
    if mine && input.outcome != Outcome::Frozen {
        release(&mut fleet, &run.record, input.outcome);
        aws.ledger().write(&mut fleet).await?;
    }
    let Run { run, golden, to, size, image, failure, .. } = run.record;
    Ok(Output { outcome: input.outcome, run, from: golden.version, to, size, image, failure })
}

fn release(fleet: &mut Read<FleetRecord>, run: &Run, outcome: Outcome) {
    if let (Outcome::Upgraded, Some(image)) = (outcome, &run.image) {
        fleet.record.crown(Golden { image: image.clone(), version: run.to });
    }
    fleet.record.lock = None;
}
