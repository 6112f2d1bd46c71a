//! Deletes what is no longer needed: the builder (seed, step 8), the old members (seed, step 13), or, when a run
//! turns back, everything it made. Ends when it is on its way out, from which nothing comes back.
//!
//! Not undone: nothing that takes traffic is deleted, and the old members only after the run is committed.

use super::crew::{Members, builder, carrying, ids};
use super::wait::wait;
use crate::aws::{Aws, Health, Instance};
use crate::{Going, StepError};
use fleet::{Phase, Run, RunRef, Span, StateContext};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: RunRef,
    state: StateContext,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Builder,
    OldMembers,
    MadeByRun,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

/// What was made this long ago can be described everywhere; EC2's advice is to back off for minutes at most.
const VISIBLE_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub(crate) async fn run(aws: &Aws, Input { run, state, what }: Input) -> Result<Output, StepError> {
    let run = aws.ledger().hold(&run, Going::Either, aws.now()).await?.record;
    let phase = |wanted: Phase| {
        if run.phase == wanted {
            return Ok(());
        }
        Err(StepError::Refused(format!("{} is {}, not {}", run.run, run.phase.as_str(), wanted.as_str())))
    };
    let still = match what {
        What::Builder => {
            let builder = builder(aws, &run).await?;
            delete_instances(aws, &run, builder.as_slice()).await?
        }
        What::OldMembers => {
            phase(Phase::Committed)?;
            let old = Members::Old.find(aws, &run).await?;
            delete_instances(aws, &run, &old).await?
        }
        What::MadeByRun => {
            phase(Phase::RollingBack)?;
            let mut made = aws.instances_of_run(&run.run.id).await?;
            let unseen = unseen_launches(&run, made.len(), aws.now());
            made.retain(Instance::is_alive);
            let instances = delete_instances(aws, &run, &made).await?;
            let image = delete_image(aws, &run).await?;
            instances.or(image).or(unseen)
        }
    };
    match still {
        None => Ok(Output {}),
        Some(still) => {
            // What was just taken out drains first.
            let limit = Span::seconds(run.config.limits.delete.as_secs() + run.drain.as_secs());
            wait(aws, &state, limit, still)
        }
    }
}

/// Terminates instances that take no traffic; answers what is still there, if anything.
async fn delete_instances(aws: &Aws, run: &Run, alive: &[Instance]) -> Result<Option<String>, StepError> {
    let ids = ids(alive);
    let Some(first) = ids.first() else { return Ok(None) };
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    let tagged = carrying(alive, &run.config.fleet.load_balancer_tag, true);
    if let Some(serving) = ids.iter().find(|id| health.is_in(id) || tagged.contains(id)) {
        let text = format!("{serving} still takes traffic ({}): take it out before it is deleted", health.of(serving));
        return Err(StepError::Failed(text));
    }
    if let Some(draining) = ids.iter().find(|id| *health.of(id) == Health::Draining) {
        return Ok(Some(format!("{draining} is draining")));
    }
    let gone = aws.terminate(&ids).await?;
    Ok((!gone).then(|| format!("{} instances are to be terminated ({first} first)", ids.len())))
}

/// Deregisters the run's image; answers whether it is still there, or may be without being visible yet.
async fn delete_image(aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
    let Some(asked) = run.image_asked else { return Ok(None) };
    match aws.image_of_run(run).await? {
        Some(image) => {
            aws.delete_image(&image.id).await?;
            Ok(Some(format!("image {} is being deregistered", image.id)))
        }
        None if aws.now().duration_since(asked) < VISIBLE_AFTER => {
            Ok(Some("an image that was asked for may not be visible yet".to_owned()))
        }
        None => Ok(None),
    }
}

/// Whether launches may have made instances that cannot be described yet.
fn unseen_launches(run: &Run, seen: usize, now: Timestamp) -> Option<String> {
    let asked: u32 = run.launches.iter().map(|launch| launch.launched.unwrap_or(launch.wanted)).sum();
    let recent = run.launches.iter().any(|launch| now.duration_since(launch.at) < VISIBLE_AFTER);
    (seen < asked as usize && recent).then(|| format!("{seen} of {asked} instances that were asked for are visible"))
}
