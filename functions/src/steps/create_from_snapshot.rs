//! Creates instances from an image: the builder from the golden image (by hand: steps 1 and 2), or members from the image
//! that the run made (by hand: step 9). None of them carries the load-balancer tag. Ends when all are running.
//!
//! The step records each launch before it requests it, and each launch carries a client token. So a repeated attempt finds
//! the instances of a launch whose answer was lost. If a zone has no capacity, other zones get its instances. A scale-out
//! accepts fewer members than it wants. Undone by `delete`.
//!
//! The last invocation in an upgrade first ends joining: it waits until the scale-outs that joined the run are over, lets
//! no other scale-out join, and creates as many more members as those scale-outs added.

use super::joined::{self, close_joins, joined};
use super::wait::wait;
use crate::aws::{Aws, Instance, InstanceState, LaunchOrder};
use crate::{AllowedPhase, StepError};
use fleet::{
    ImageId, InstanceType, NextLaunches, Role, Run, Span, StateContext, StayingMembers, Ticket, Workflow, next_launches,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    role: Role,
    /// Whether to end joining, and to replace the members that joined.
    #[serde(default)]
    last: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, role, last }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    if last {
        close_joins(aws, &mut run, &state).await?;
    }
    let launch = run.record.config.limits.launch;
    // The last invocation also waits for the scale-outs that joined.
    let limit = if last { joined::limit(&run.record) + launch } else { launch };
    let wanted = match role {
        Role::Builder => 1,
        Role::Member => run.record.size.saturating_add(joined(aws, &run.record).await?.members),
    };
    request_open_launches(aws, &mut run.record, role, &state).await?;

    let launched: u32 = run.record.launches_of(role).filter_map(|launch| launch.launched).sum();
    let mut found = Vec::new();
    if launched > 0 {
        found = aws.launched_by_run(&run.record.run).await?;
        found.retain(|instance| instance.is_for(role));
    }
    if count(found.len()) < launched {
        // EC2 does not describe all new instances yet. Another launch would make too many.
        aws.ledger().write(&mut run).await?;
        return wait(aws, &state, limit, format!("{} of {launched} launched are visible", found.len()));
    }
    found.retain(|instance| instance.is_alive() && !run.record.abandoned.contains(&instance.id));

    let scales_out = run.record.workflow == Workflow::ScaleOut;
    let config = &run.record.config;
    let so_far: Vec<_> = run.record.launches_of(role).collect();
    match next_launches(role, wanted, count(found.len()), &so_far, &config.fleet.subnets, aws.now()) {
        NextLaunches::Exhausted(_) if scales_out && !found.is_empty() => {
            all_running(aws, &state, limit, &found, count(found.len()))
        }
        NextLaunches::Exhausted(why) => Err(StepError::Failed(why)),
        NextLaunches::Ask(launches) => {
            run.record.launches.extend(launches);
            aws.ledger().write(&mut run).await?;
            request_open_launches(aws, &mut run.record, role, &state).await?;
            aws.ledger().write(&mut run).await?;
            wait(aws, &state, limit, format!("{wanted} launches are requested"))
        }
        NextLaunches::Enough => {
            all_running(aws, &state, limit, &found, wanted)?;
            // `verify` and `retag` record the members that a scale-out adds, since only healthy members count.
            if role == Role::Member && !scales_out {
                let ids = found.into_iter().map(|instance| instance.id).collect();
                aws.ledger().record_staying_members(&run.record, &StayingMembers { ids }).await?;
            }
            Ok(Output {})
        }
    }
}

fn all_running(
    aws: &Aws,
    state: &StateContext,
    limit: Span,
    found: &[Instance],
    wanted: u32,
) -> Result<Output, StepError> {
    let running = found.iter().filter(|instance| instance.state == InstanceState::Running).count();
    if count(running) < wanted {
        return wait(aws, state, limit, format!("{running} of {wanted} are running"));
    }
    Ok(Output {})
}

/// Requests every recorded launch whose answer is unknown. If an earlier attempt requested the launch already, EC2 finds the
/// same instances by the client token.
async fn request_open_launches(aws: &Aws, run: &mut Run, role: Role, state: &StateContext) -> Result<(), StepError> {
    let (image, instance_type) = image_and_type(run, role)?;
    let before = run.clone();
    let open = run.launches.iter_mut().filter(|launch| launch.role == role && launch.launched.is_none());
    for launch in open {
        let order = LaunchOrder {
            role,
            image: &image,
            instance_type: &instance_type,
            subnet: &launch.subnet,
            round: launch.round,
            count: launch.wanted,
        };
        match aws.launch(&before, order).await {
            Ok(count) => {
                launch.launched = Some(count);
                launch.shortage = (count < launch.wanted)
                    .then(|| format!("{} had room for {count} of {}", launch.subnet, launch.wanted));
            }
            Err(error) if error.is_no_capacity() => {
                launch.launched = Some(0);
                launch.shortage = Some(error.to_string());
            }
            // An earlier state saw the image available, so EC2 is only inconsistent.
            Err(error) if error.is_not_visible_yet() => return wait(aws, state, before.config.limits.launch, error),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The image and the instance type for instances of `role`.
fn image_and_type(run: &Run, role: Role) -> Result<(ImageId, InstanceType), StepError> {
    let config = &run.config;
    let golden = run.golden.as_ref().map(|golden| &golden.image);
    let (image, instance_type) = match role {
        Role::Builder => (golden, &config.builder.instance_type),
        Role::Member => (run.image.as_ref(), &config.fleet.instance_type),
    };
    let image = image
        .ok_or_else(|| StepError::Failed(format!("{} has no image to create a {} from", run.run, role.as_str())))?;
    Ok((image.clone(), instance_type.clone()))
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
