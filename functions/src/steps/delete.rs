//! Deletes what is no longer needed: the builder (by hand: step 8), the leaving members (by hand: step 13), outdated images,
//! the abandoned members of a scale-out, or everything that a run made if the run rolls back. A rollback keeps an image whose
//! members failed, and the healthy members that a scale-out added. Ends when AWS deletes the resources, which cannot be
//! stopped.
//!
//! Not undone: the step deletes nothing that takes traffic, and leaving members only after the commit. Repeating it deletes
//! what is left.

use super::members::{Members, builder, ids, still_in_traffic};
use super::observation::{health, inventory};
use super::wait::wait;
use crate::aws::{Aws, Instance};
use crate::{AllowedPhase, StepError};
use fleet::{Phase, Refusal, Run, StateContext, Ticket, Workflow};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Builder,
    /// Definitions of earlier releases say `old-members`.
    #[serde(alias = "old-members")]
    LeavingMembers,
    OutdatedImages,
    /// Members of a scale-out that did not become healthy in time. Definitions of earlier releases say `given-up`.
    #[serde(alias = "given-up")]
    Abandoned,
    MadeByRun,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

/// The time after the start of a rollback within which AWS describes everything that the run requested. By then the last
/// forward function has stopped (the state machine waits 120 s for it), and AWS describes what that function launched.
const APPEARS_WITHIN: SignedDuration = SignedDuration::from_secs(180);

pub(crate) async fn run(aws: &Aws, Input { run, state, what }: Input) -> Result<Output, StepError> {
    let run = aws.ledger().hold(&run, AllowedPhase::NotEnded).await?.record;
    let require_phase = |wanted: Phase| {
        if run.phase == wanted {
            return Ok(());
        }
        Err(StepError::Refused(format!("{} is {}, not {}", run.run, run.phase.as_str(), wanted.as_str())))
    };
    let remaining = match what {
        What::Builder => {
            let builder = builder(aws, &run).await?;
            delete_instances(aws, &run, builder.as_slice()).await?
        }
        What::LeavingMembers => {
            require_phase(Phase::Committed)?;
            let leaving = Members::Leaving.find(aws, &run).await?;
            delete_instances(aws, &run, &leaving).await?
        }
        What::OutdatedImages => {
            require_phase(Phase::Committed)?;
            delete_outdated_images(aws, &run).await?;
            None
        }
        What::Abandoned => {
            let abandoned = Members::Abandoned.find(aws, &run).await?;
            delete_instances(aws, &run, &abandoned).await?
        }
        What::MadeByRun if run.workflow == Workflow::Restore => {
            require_phase(Phase::RollingBack)?;
            let left_over = Members::Staying.find(aws, &run).await?;
            let instances = delete_instances(aws, &run, &left_over).await?;
            instances.or(delete_left_over_images(aws, &run).await?)
        }
        What::MadeByRun => {
            require_phase(Phase::RollingBack)?;
            let mut made = aws.launched_by_run(&run.run).await?;
            let unseen = unseen_launches(&run, made.len(), aws.now());
            made.retain(Instance::is_alive);
            if run.workflow == Workflow::ScaleOut {
                // The members that were healthy at the start of the rollback stay.
                let kept = aws.ledger().staying_members(&run.run).await?.ids;
                made.retain(|instance| !kept.contains(&instance.id));
            }
            let instances = delete_instances(aws, &run, &made).await?;
            let image = delete_image(aws, &run).await?;
            instances.or(image).or(unseen)
        }
    };
    match remaining {
        None => Ok(Output {}),
        Some(remaining) => {
            // Members that just left the target group drain first.
            wait(aws, &state, run.config.limits.delete + run.drain, remaining)
        }
    }
}

/// Terminates instances that take no traffic. Returns what is still there, if anything.
async fn delete_instances(aws: &Aws, run: &Run, alive: &[Instance]) -> Result<Option<String>, StepError> {
    let ids = ids(alive);
    let Some(first) = ids.first() else { return Ok(None) };
    if let Some(in_traffic) = still_in_traffic(aws, run, alive).await? {
        return Ok(Some(in_traffic));
    }
    let gone = aws.terminate(&ids).await?;
    Ok((!gone).then(|| format!("{} instances are being terminated ({first} first)", ids.len())))
}

/// Deregisters the images that the fleet no longer keeps after this run. An image stays if no run of the fleet made it, or
/// if any instance, of whatever fleet, is a clone of it.
async fn delete_outdated_images(aws: &Aws, run: &Run) -> Result<(), StepError> {
    let Some((golden, because)) = run.successor() else { return Ok(()) };
    let fleet = aws.ledger().fleet(&run.run.fleet).await?;
    let mut fleet = fleet.ok_or_else(|| Refusal::UnknownFleet { fleet: run.run.fleet.clone() })?;
    for id in fleet.record.outdated(golden, because) {
        match aws.image(&id).await? {
            Some(image) if !image.is_made_by(&run.run.fleet) || aws.has_clones(&id).await? => continue,
            Some(image) => aws.delete_image(&image.id).await?,
            None => {}
        }
        // The ledger forgets an image only after it is gone.
        fleet.record.forget(&id);
        aws.ledger().write(&mut fleet).await?;
    }
    Ok(())
}

/// Deregisters the images of ended runs that the ledger does not keep. Returns what is still there, if anything.
async fn delete_left_over_images(aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
    let fleet = aws.ledger().fleet(&run.run.fleet).await?;
    let fleet = fleet.ok_or_else(|| Refusal::UnknownFleet { fleet: run.run.fleet.clone() })?;
    let inventory = inventory(aws, &fleet.record, &health(aws, &fleet.record).await?).await?;
    let mut first = None;
    for image in inventory.left_over_images(&fleet.record) {
        aws.delete_image(&image.id).await?;
        first.get_or_insert_with(|| format!("image {} is being deregistered", image.id));
    }
    Ok(first)
}

/// Deregisters the run's image. Returns why it is not gone yet, if it is still there or may yet appear.
async fn delete_image(aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
    if run.image_asked.is_none() || run.image_failure.is_some() {
        return Ok(None);
    }
    match aws.image_of_run(run).await? {
        Some(image) if image.is_of(&run.run) => {
            aws.delete_image(&image.id).await?;
            Ok(Some(format!("image {} is being deregistered", image.id)))
        }
        Some(_) => Ok(None),
        None => Ok((run.image.is_none() && may_appear(run, aws.now())).then(|| "the image may yet appear".to_owned())),
    }
}

/// Says so if launches may have made instances that EC2 does not describe yet.
fn unseen_launches(run: &Run, seen: usize, now: Timestamp) -> Option<String> {
    let requested: u32 = run.launches.iter().map(|launch| launch.launched.unwrap_or(launch.wanted)).sum();
    let unseen = seen < requested as usize && may_appear(run, now);
    unseen.then(|| format!("{seen} of {requested} requested instances are visible"))
}

/// Whether AWS may still start to describe what the run requested.
fn may_appear(run: &Run, now: Timestamp) -> bool {
    run.rolled_back.is_none_or(|rolled_back| now.duration_since(rolled_back) < APPEARS_WITHIN)
}
