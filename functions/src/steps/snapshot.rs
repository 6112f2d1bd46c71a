//! Takes the snapshot of the stopped builder (by hand: step 7), or of a stopped member: an image whose name derives from
//! the run. Ends when it is available, and records it with the run; or once it is asked for, since from then on the machine
//! may change.
//!
//! The name is the key: an image whose answer was lost is found by it and never made twice. Undone by `delete`.

use super::crew::original;
use super::wait::wait;
use crate::aws::{Aws, ImageState};
use crate::{Going, StepError};
use fleet::{StateContext, Ticket, image_name};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    #[serde(default)]
    until: Until,
}

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Until {
    /// EC2 has taken it on: the image is of this moment.
    /// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html>
    Asked,
    /// It is there to be cloned.
    #[default]
    Available,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, until }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, Going::Forward).await?;
    let limit = run.record.config.limits.image;
    let name = image_name(&run.record.run, run.record.to);
    let waiting = || wait(aws, &state, limit, format!("image {name} is being made"));
    let found = match &run.record.image {
        Some(id) => aws.image(id).await?,
        None => aws.image_of_run(&run.record).await?,
    };
    let Some(image) = found else {
        if run.record.image.is_none() {
            if run.record.image_asked.is_none() {
                run.record.image_asked = Some(aws.now());
                aws.ledger().write(&mut run).await?;
            }
            let original = original(aws, &run.record).await?;
            match aws.create_image(&run.record, &original.id).await {
                Ok(id) => {
                    run.record.image = id;
                    aws.ledger().write(&mut run).await?;
                }
                // Made by an earlier attempt whose answer was lost; it will be seen in a moment.
                Err(error) if error.is_duplicate_image_name() => {}
                Err(error) => return Err(error.into()),
            }
        }
        if until == Until::Asked && run.record.image.is_some() {
            return Ok(Output {});
        }
        return waiting();
    };
    if !image.is_of(&run.record.run) {
        let text =
            format!("image {} has this run's name, {name}, but another's tags: rename or deregister it", image.id);
        return Err(StepError::Failed(text));
    }
    if run.record.image.is_none() {
        run.record.image = Some(image.id.clone());
        aws.ledger().write(&mut run).await?;
    }
    match image.state {
        ImageState::Available => Ok(Output {}),
        ImageState::Pending if until == Until::Asked => Ok(Output {}),
        ImageState::Pending => waiting(),
        ImageState::Unusable(why) => Err(StepError::Failed(format!("image {} ({name}) is {why}", image.id))),
    }
}
