//! Makes the image of the stopped builder (by hand: step 7). Ends when the image is available and the run records it. In a
//! golden-image run, `image-member` has requested the image, and this step waits for it.
//!
//! The image's name derives from the run. If the answer to a request was lost, a repeated attempt finds the image by its
//! name and makes no second one. Undone by `delete`.

use super::members::require_builder;
use super::wait::wait;
use crate::aws::{Aws, Image, ImageState};
use crate::{AllowedPhase, StepError, Versioned};
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
    let mut run = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    let name = image_name(&run.record.run, run.record.to);
    let what = format!("image {name} is being made");
    let limit = run.record.config.limits.image;
    let Some(image) = find_image(aws, &mut run).await? else {
        if run.record.image.is_none() {
            let builder = require_builder(aws, &run.record).await?;
            request_image(aws, &mut run, &builder.id).await?;
        }
        return wait(aws, &state, limit, what);
    };
    match image.state {
        ImageState::Available => Ok(Output {}),
        ImageState::Pending => wait(aws, &state, limit, what),
        ImageState::Unusable(why) => Err(StepError::Failed(format!("image {} ({name}) is {why}", image.id))),
    }
}

/// Requests the run's image of a stopped instance. Repeating it makes no second image.
pub(super) async fn request_image(aws: &Aws, run: &mut Versioned<Run>, of: &InstanceId) -> Result<(), StepError> {
    if run.record.image_asked.is_none() {
        run.record.image_asked = Some(aws.now());
        aws.ledger().write(run).await?;
    }
    match aws.create_image(&run.record, of).await {
        Ok(id) => {
            run.record.image = id;
            aws.ledger().write(run).await
        }
        // An earlier attempt made the image and lost the answer. EC2 describes the image soon.
        Err(error) if error.is_duplicate_image_name() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The run's image, if EC2 describes it. Records its id with the run.
pub(super) async fn find_image(aws: &Aws, run: &mut Versioned<Run>) -> Result<Option<Image>, StepError> {
    let found = match &run.record.image {
        Some(id) => aws.image(id).await?,
        None => aws.image_of_run(&run.record).await?,
    };
    let Some(image) = found else { return Ok(None) };
    if !image.is_of(&run.record.run) {
        let name = image_name(&run.record.run, run.record.to);
        let text = format!(
            "image {} has the name of this run's image, {name}, but not its tags: rename or deregister the image",
            image.id
        );
        return Err(StepError::Failed(text));
    }
    if run.record.image.is_none() {
        run.record.image = Some(image.id.clone());
        aws.ledger().write(run).await?;
    }
    Ok(Some(image))
}
