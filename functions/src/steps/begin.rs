//! Begins a run: looks at everything it will need, refuses what cannot go well, then takes the fleet's lock and
//! records the plan and what was before. Up to the lock it only reads.
//!
//! Undone by `finish`, which releases the lock. Asked again, it finds its own lock and record and answers the same.

use crate::StepError;
use crate::aws::{Alarming, Aws, Health, ImageState, Instance, InstanceState};
use fleet::{
    Before, Config, FLEET_TAG, FleetName, FleetRecord, Member, Phase, Refusal, Run, RunId, RunRef, StateContext,
    Version, check_connections, check_targets, hop_path,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: RunId,
    request: Request,
    #[expect(dead_code, reason = "every step gets it; nothing here waits")]
    state: StateContext,
}

/// What an operator, a schedule or an alarm starts the execution with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    fleet: FleetName,
    to: Version,
    approval: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    run: RunRef,
    work: Work,
    hops: Vec<Version>,
    approval: bool,
    approval_seconds: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Work {
    Upgrade,
    Nothing,
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let Request { fleet, to, approval } = input.request;
    let run = RunRef { fleet: fleet.clone(), id: input.run };
    let record = aws.ledger().fleet(&fleet).await?;
    let mut record = record.ok_or(Refusal::UnknownFleet { fleet })?;

    if let Some(begun) = aws.ledger().run(&run).await? {
        return begun_before(begun.record, approval);
    }
    if let Some(lock) = &record.record.lock {
        return Err(Refusal::Locked { fleet: run.fleet, run: lock.run.clone() }.into());
    }

    let config = record.record.config.clone();
    let hops = hop_path(record.record.golden.version, to, &config.upgrade.hops)?;
    let approval = approval.unwrap_or(config.upgrade.approval);
    let approval_seconds = config.limits.approval.as_secs();
    if hops.is_empty() {
        return Ok(Output { run, work: Work::Nothing, hops, approval, approval_seconds });
    }
    let before = look(aws, &record.record).await?;
    let size = u32::try_from(before.members.len()).unwrap_or(u32::MAX);
    check_connections(size, &config.database)?;
    check_targets(size, config.load_balancer.target_quota)?;

    let now = aws.now();
    record.record.lock(run.id.clone());
    let run = Run::begin(run, hops, size, config, &before, record.record.fence, now);
    aws.ledger().begin(&record, &run, &before).await?;
    Ok(Output { work: Work::Upgrade, hops: run.hops, run: run.run, approval, approval_seconds })
}

fn begun_before(run: Run, approval: Option<bool>) -> Result<Output, StepError> {
    if let Phase::Ended(_) = run.phase {
        return Err(StepError::Refused(format!("{} is over: it is {}", run.run, run.phase.as_str())));
    }
    let approval = approval.unwrap_or(run.config.upgrade.approval);
    let approval_seconds = run.config.limits.approval.as_secs();
    Ok(Output { run: run.run, work: Work::Upgrade, hops: run.hops, approval, approval_seconds })
}

/// Looks at the fleet as it stands: who its members are and that each is in service, and that the golden image is
/// there to clone the builder from.
async fn look(aws: &Aws, record: &FleetRecord) -> Result<Before, StepError> {
    let config = &record.config;
    let tag = &config.fleet.load_balancer_tag;
    let tagged = aws.instances_tagged(&[(&tag.key, &tag.value)]).await?;
    let tagged: Vec<_> = tagged.iter().filter(|instance| instance.is_alive()).collect();
    if let Some(foreign) = tagged.iter().find(|member| member.tag(FLEET_TAG) != Some(record.name().as_str())) {
        return Err(foreign_member(config, foreign).into());
    }
    if !tagged.iter().any(|member| member.state == InstanceState::Running) {
        return Err(Refusal::EmptyFleet { tag: tag.to_string() }.into());
    }
    let ids: Vec<_> = tagged.iter().map(|member| &member.id).collect();
    let group = &config.load_balancer.target_group;
    let health = aws.health_of_all(group).await?;
    if let Some(stranger) = health.registered().find(|id| !ids.contains(id)) {
        return Err(Refusal::Stranger { instance: stranger.clone(), tag: tag.to_string() }.into());
    }
    if let Some((id, health, _)) = health.first_not_healthy(&ids) {
        let health = match health {
            Health::Out => "not registered with the target group".to_owned(),
            health => health.to_string(),
        };
        return Err(Refusal::NotInService { instance: id.clone(), health }.into());
    }
    if let Some(Alarming { name, problem }) = aws.first_alarming(&config.upgrade.alarms).await? {
        return Err(Refusal::Alarm { alarm: name, problem }.into());
    }
    let golden = record.golden.clone();
    let problem = match aws.image(&golden.image).await? {
        None => Some("does not exist".to_owned()),
        Some(image) if image.state != ImageState::Available => Some(format!("is not available ({:?})", image.state)),
        Some(_) => None,
    };
    if let Some(problem) = problem {
        return Err(Refusal::GoldenImage { image: golden.image, problem }.into());
    }
    let members = tagged.iter().map(|member| Member {
        id: member.id.clone(),
        image: member.image.clone(),
        zone: member.zone.clone(),
    });
    Ok(Before { members: members.collect(), golden, drain: aws.deregistration_delay(group).await? })
}

fn foreign_member(config: &Config, foreign: &Instance) -> Refusal {
    let owner = foreign.tag(FLEET_TAG);
    Refusal::ForeignMember {
        tag: config.fleet.load_balancer_tag.to_string(),
        instance: foreign.id.clone(),
        owner: owner.map_or("belongs to no fleet".to_owned(), |owner| format!("belongs to fleet {owner}")),
        fleet: config.fleet.name.clone(),
        fleet_tag: FLEET_TAG,
    }
}
