//! Brings members into service or takes them out of service (by hand: steps 10 and 11). Into service: adds the load-balancer
//! tag and registers the target. Out of service: removes the tag and deregisters the target, which then drains. Each
//! direction undoes the other. Repeating the step changes nothing.
//!
//! The step takes members out only if all members that remain are healthy at that instant. Bringing the leaving members
//! back into service records that the run rolls back: from then on its forward steps do nothing.
//!
//! In a scale-out, the step takes only unhealthy members out: it abandons them. If the scale-out does not replace them, it
//! rolls back.

mod abandon;

use self::abandon::abandon_unhealthy;
use super::joined::close_joins;
use super::members::{Members, carrying, ids};
use super::wait::wait;
use crate::aws::{Aws, Instance, InstanceState};
use crate::{AllowedPhase, StepError};
use fleet::{Run, StateContext, Ticket, Workflow};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    members: Members,
    service: Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Service {
    In,
    Out,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, members, service }: Input) -> Result<Output, StepError> {
    let mut run = match (members, service) {
        (Members::Leaving, Service::In) => aws.ledger().hold_for_rollback(&run, aws.now()).await?,
        (Members::Staying, Service::Out) | (Members::Source, Service::In) => {
            aws.ledger().hold(&run, AllowedPhase::NotEnded).await?
        }
        _ => aws.ledger().hold(&run, AllowedPhase::Forward).await?,
    };
    if service == Service::Out && run.record.workflow == Workflow::ScaleOut {
        return abandon_unhealthy(aws, &mut run, members).await.map(|()| Output {});
    }
    if (members, service) == (Members::Leaving, Service::Out) {
        // Definitions of earlier releases have no state that ends joining.
        close_joins(aws, &mut run, &state).await?;
    }
    let run = run.record;
    let found = members.find(aws, &run).await?;
    match service {
        Service::In => bring_in(aws, &run, &state, &found).await,
        Service::Out => take_out(aws, &run, &state, members, &found).await,
    }
}

/// Tags and registers the members that EC2 describes, even if that lags behind an earlier step; both calls are safe to
/// repeat. It skips members that are not running, since one such member makes the load balancer refuse the whole call. A
/// later check of their health reports them.
///
/// For the source member, which was just started, EC2 may still describe the earlier state, so the step waits.
async fn bring_in(aws: &Aws, run: &Run, state: &StateContext, members: &[Instance]) -> Result<Output, StepError> {
    let config = &run.config;
    let source = run.source.as_ref().map(|source| &source.id);
    if let Some(lagging) = members.iter().find(|one| Some(&one.id) == source && one.state != InstanceState::Running) {
        return wait(aws, state, config.limits.launch, format!("{} is not described as running yet", lagging.id));
    }
    aws.tag(&ids(members), &config.fleet.load_balancer_tag).await?;
    let running = members.iter().filter(|member| member.state == InstanceState::Running);
    let running: Vec<_> = running.map(|member| &member.id).collect();
    aws.register(&config.load_balancer.target_group, &running).await?;
    Ok(Output {})
}

/// Untags and deregisters the members if all members that remain are healthy.
async fn take_out(
    aws: &Aws,
    run: &Run,
    state: &StateContext,
    members: Members,
    found: &[Instance],
) -> Result<Output, StepError> {
    let config = &run.config;
    let group = &config.load_balancer.target_group;
    let existing = members.counterpart().find(aws, run).await?;
    let stay = members.counterpart().serving(aws, run).await?;
    let leave = ids(found);
    // The source member of a golden image is one of the leaving members.
    let stay: Vec<_> = stay.iter().filter(|id| !leave.contains(id)).collect();
    let health = aws.target_health(group, &[leave.as_slice(), stay.as_slice()].concat()).await?;
    let tagged = carrying(found, &config.fleet.load_balancer_tag, true);
    let registered: Vec<_> = leave.iter().copied().filter(|id| health.is_registered(id)).collect();
    if tagged.is_empty() && registered.is_empty() {
        return Ok(Output {});
    }
    if let Some(gone) = stay.iter().find(|id| existing.iter().all(|one| one.id != ***id)) {
        let others = members.counterpart();
        return Err(StepError::Failed(format!("{gone} of the {others} is gone, so the {members} stay in service")));
    }
    if let Some((id, unhealthy, _)) = health.first_not_healthy(&stay) {
        let what = format!("{id} is {unhealthy}, so the {members} stay in service until it is healthy");
        return wait(aws, state, config.limits.healthy, what);
    }
    aws.untag(&tagged, &config.fleet.load_balancer_tag).await?;
    aws.deregister(group, &registered).await?;
    Ok(Output {})
}
