//! Takes the snapshot of the stopped builder (by hand: step 7): an image whose name derives from the run. Ends when it
//! is available, and records it with the run.
//!
//! The name is the key: an image whose answer was lost is found by it and never made twice. Undone by `delete`.

use super::members::standing_builder;
use super::wait::wait;
use crate::aws::{Aws, Image, ImageState};
use crate::ledger::Read;
use crate::{Going, StepError};
use fleet::{InstanceId, Run, StateContext, Ticket, image_name};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, Going::Forward).await?;
    let name = image_name(&run.record.run, run.record.to);
    let what = format!("image {name} is being made");
    let limit = run.record.config.limits.image;
    let Some(image) = seen(aws, &mut run).await? else {
        if run.record.image.is_none() {
            let builder = standing_builder(aws, &run.record).await?;
            ask(aws, &mut run, &builder.id).await?;
        }
        return wait(aws, &state, limit, what);
    };
    match image.state {
        ImageState::Available => Ok(Output {}),
        ImageState::Pending => wait(aws, &state, limit, what),
        ImageState::Unusable(why) => Err(StepError::Failed(format!("image {} ({name}) is {why}", image.id))),
    }
}

/// Asks for the run's image of a stopped instance. Repeating it makes no second one.
pub(super) async fn ask(aws: &Aws, run: &mut Read<Run>, of: &InstanceId) -> Result<(), StepError> {
    if run.record.image_asked.is_none() {
        run.record.image_asked = Some(aws.now());
        aws.ledger().write(run).await?;
    }
    match aws.create_image(&run.record, of).await {
        Ok(id) => {
            run.record.image = id;
            aws.ledger().write(run).await
        }
        // Made by an earlier attempt whose answer was lost; it will be seen in a moment.
        Err(error) if error.is_duplicate_image_name() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The run's image, if it can be seen; it is recorded then.
pub(super) async fn seen(aws: &Aws, run: &mut Read<Run>) -> Result<Option<Image>, StepError> {
    let found = match &run.record.image {
        Some(id) => aws.image(id).await?,
        None => aws.image_of_run(&run.record).await?,
    };
    let Some(image) = found else { return Ok(None) };
    if !image.is_of(&run.record.run) {
        let name = image_name(&run.record.run, run.record.to);
        let text =
            format!("image {} has this run's name, {name}, but another's tags: rename or deregister it", image.id);
        return Err(StepError::Failed(text));
    }
    if run.record.image.is_none() {
        run.record.image = Some(image.id.clone());
        aws.ledger().write(run).await?;
    }
    Ok(Some(image))
}
