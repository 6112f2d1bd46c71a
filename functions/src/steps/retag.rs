//! Brings members in or takes them out (by hand: steps 10 and 11). In: the load-balancer tag on, the target registered.
//! Out: the tag off, the target deregistered, which leaves it draining. Each is the other's undoing.
//!
//! Members are taken out only if, at that very instant, those who stay are all healthy. Bringing the old ones in is
//! what turns a run back: from then on its forward steps do nothing.
//!
//! Of a scale-out only those go that are not healthy: it gives them up, and turns back if nobody is to replace them.

use super::joined::close_joins;
use super::members::{Members, carrying, ids};
use super::wait::wait;
use crate::aws::{Aws, Instance, InstanceState};
use crate::ledger::Read;
use crate::{Going, StepError};
use fleet::{Health, Phase, Run, StateContext, StayingMembers, Ticket, Workflow};
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
        (Members::Leaving, Service::In) => aws.ledger().hold_back(&run, aws.now()).await?,
        (Members::Staying, Service::Out) | (Members::Source, Service::In) => {
            aws.ledger().hold(&run, Going::Either).await?
        }
        _ => aws.ledger().hold(&run, Going::Forward).await?,
    };
    if service == Service::Out && run.record.workflow == Workflow::ScaleOut {
        return weed_out(aws, &mut run, members).await;
    }
    if (members, service) == (Members::Leaving, Service::Out) {
        // The definitions of earlier releases have no state for it.
        close_joins(aws, &mut run, &state).await?;
    }
    let run = run.record;
    let found = members.find(aws, &run).await?;
    match service {
        Service::In => bring_in(aws, &run, &state, &found).await,
        Service::Out => take_out(aws, &run, &state, members, &found).await,
    }
}

/// Tags and registers whatever was described, which may lag behind what an earlier step did; both calls bear repeating.
/// A member that does not run cannot be registered, and would keep all others out: whoever checks their health says so.
///
/// Except the one that was started again just now: its state may be described as it was before.
async fn bring_in(aws: &Aws, run: &Run, state: &StateContext, members: &[Instance]) -> Result<Output, StepError> {
    let config = &run.config;
    let source = run.source.as_ref().map(|source| &source.id);
    if let Some(lags) = members.iter().find(|one| Some(&one.id) == source && one.state != InstanceState::Running) {
        return wait(aws, state, config.limits.launch, format!("{} is not described as running yet", lags.id));
    }
    aws.tag(&ids(members), &config.fleet.load_balancer_tag).await?;
    let running = members.iter().filter(|member| member.state == InstanceState::Running);
    let running: Vec<_> = running.map(|member| &member.id).collect();
    aws.register(&config.load_balancer.target_group, &running).await?;
    Ok(Output {})
}

/// Takes out those of a scale-out that are not healthy. The first look decides who that is, and it is recorded before any of
/// them goes. If the run turns back, whoever is healthy stays, as what came of it.
async fn weed_out(aws: &Aws, run: &mut Read<Run>, members: Members) -> Result<Output, StepError> {
    let group = run.record.config.load_balancer.target_group.clone();
    let turns_back = members == Members::Staying;
    let decided = if turns_back {
        run.record.phase == Phase::RollingBack && aws.ledger().members_of(&run.record.run).await?.is_some()
    } else {
        !run.record.abandoned.is_empty()
    };
    if !decided {
        let standing = Members::Staying.find(aws, &run.record).await?;
        let health = aws.target_health(&group, &ids(&standing)).await?;
        let (well, ill): (Vec<_>, Vec<_>) =
            standing.into_iter().partition(|one| *health.of(&one.id) == Health::Healthy);
        run.record.abandoned.extend(ill.into_iter().map(|one| one.id));
        if turns_back {
            run.record.roll_back(aws.now())?;
        }
        aws.ledger().write(run).await?;
        if turns_back {
            let kept = StayingMembers { ids: well.into_iter().map(|one| one.id).collect() };
            aws.ledger().record_staying_members(&run.record, &kept).await?;
        }
    }
    let leave = Members::Abandoned.find(aws, &run.record).await?;
    let health = aws.target_health(&group, &ids(&leave)).await?;
    let registered: Vec<_> = ids(&leave).into_iter().filter(|id| health.is_in(id)).collect();
    aws.untag(&ids(&leave), &run.record.config.fleet.load_balancer_tag).await?;
    aws.deregister(&group, &registered).await?;
    Ok(Output {})
}

async fn take_out(
    aws: &Aws,
    run: &Run,
    state: &StateContext,
    members: Members,
    found: &[Instance],
) -> Result<Output, StepError> {
    let config = &run.config;
    let group = &config.load_balancer.target_group;
    let stand = members.counterpart().find(aws, run).await?;
    let stay = members.counterpart().serving(aws, run).await?;
    let leave = ids(found);
    // One of which an image is taken is one of the old as well.
    let stay: Vec<_> = stay.iter().filter(|id| !leave.contains(id)).collect();
    let health = aws.target_health(group, &[leave.as_slice(), stay.as_slice()].concat()).await?;
    let tagged = carrying(found, &config.fleet.load_balancer_tag, true);
    let registered: Vec<_> = leave.iter().copied().filter(|id| health.is_in(id)).collect();
    if tagged.is_empty() && registered.is_empty() {
        return Ok(Output {});
    }
    if let Some(gone) = stay.iter().find(|id| stand.iter().all(|one| one.id != ***id)) {
        let others = members.counterpart();
        return Err(StepError::Failed(format!("{gone} of the {others} is gone, so the {members} stay in service")));
    }
    if let Some((id, ill, _)) = health.first_not_healthy(&stay) {
        let what = format!("{id} is {ill}, so the {members} stay in service until it is healthy");
        return wait(aws, state, config.limits.healthy, what);
    }
    aws.untag(&tagged, &config.fleet.load_balancer_tag).await?;
    aws.deregister(group, &registered).await?;
    Ok(Output {})
}
