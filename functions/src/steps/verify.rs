//! Checks that everything is in order (by hand: step 12): that members are healthy, that they stay so over a bake time
//! with no alarm ringing, and, as a last look before the old are deleted, that they still are and the old have drained.
//!
//! Changes nothing but the run's own record: the last look commits the run, after which there is no way back, and an image
//! whose members fail is condemned, so that it goes into quarantine. Not undone.

use super::crew::Members;
use super::wait::wait;
use crate::aws::Aws;
use crate::{Going, StepError};
use fleet::{Alarming, Deadline, Health, InstanceId, NewMembers, Phase, Run, StateContext, Ticket, Workflow};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    members: Members,
    check: Check,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Check {
    /// All are healthy.
    Healthy,
    /// All stay healthy, and no alarm rings, for as long as the configuration says.
    Bake,
    /// All are healthy now and the old have drained: commit.
    LastLook,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, members, check }: Input) -> Result<Output, StepError> {
    let going = match (members, check) {
        (Members::Old | Members::Source, _) => Going::Either,
        (_, Check::LastLook) => Going::ForwardOrCommitted,
        _ => Going::Forward,
    };
    let mut run = aws.ledger().hold(&run, going).await?;
    if check == Check::LastLook && run.record.phase == Phase::Committed {
        return Ok(Output {});
    }
    if let Some(wrong) = wrong(aws, &run.record, members, check, &state).await? {
        if members != Members::Old && run.record.workflow.tries_an_image() {
            run.record.condemned = Some(wrong.clone());
            aws.ledger().write(&mut run).await?;
        }
        return Err(StepError::Failed(wrong));
    }
    match check {
        Check::Healthy => {
            if run.record.workflow == Workflow::ScaleOut {
                let ids = members.recorded(aws, &run.record).await?;
                if ids.is_empty() {
                    return Err(StepError::Failed("none of the members that were launched stands any more".to_owned()));
                }
                aws.ledger().record_new_members(&run.record, &NewMembers { ids }).await?;
            }
            Ok(Output {})
        }
        Check::Bake => {
            let upgrade = &run.record.config.upgrade;
            let bake = if members == Members::Canary { upgrade.canary_bake } else { upgrade.bake };
            let done = Deadline::after(state.entered_time, bake);
            if done.passed(aws.now()) {
                Ok(Output {})
            } else {
                Err(StepError::NotYet(format!("the {members} bake until {done}")))
            }
        }
        Check::LastLook => {
            if let Some(draining) = still_draining(aws, &run.record).await? {
                let limit = run.record.drain + run.record.config.limits.healthy;
                return wait(aws, &state, limit, format!("{draining} is draining"));
            }
            run.record.move_to(Phase::Committed)?;
            run.record.committed = Some(aws.now());
            aws.ledger().write(&mut run).await?;
            Ok(Output {})
        }
    }
}

/// What is wrong with the members for good, if anything; `NotYet` as long as they may still turn healthy.
async fn wrong(
    aws: &Aws,
    run: &Run,
    members: Members,
    check: Check,
    state: &StateContext,
) -> Result<Option<String>, StepError> {
    let ill = ill(aws, run, members).await?;
    Ok(match (check, ill) {
        (Check::Healthy, None) => None,
        (Check::Healthy, Some(ill)) => match wait(aws, state, run.config.limits.healthy, ill) {
            Err(StepError::Failed(wrong)) => Some(wrong),
            waiting => return waiting,
        },
        (Check::Bake, Some(ill)) => Some(format!("{ill} while the {members} were baking")),
        (Check::LastLook, Some(ill)) => Some(format!("{ill} at the last look before the old are deleted")),
        (Check::Bake | Check::LastLook, None) => {
            let alarming = aws.first_alarming(&run.config.upgrade.alarms).await?;
            alarming.map(|Alarming { name, problem }| format!("alarm '{name}' {problem}"))
        }
    })
}

/// What is wrong with the members, if anything. One that is gone is not registered, and so not healthy.
async fn ill(aws: &Aws, run: &Run, members: Members) -> Result<Option<String>, StepError> {
    let serving = members.serving(aws, run).await?;
    let ids: Vec<_> = serving.iter().collect();
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    let ill = health.first_not_healthy(&ids);
    Ok(ill.map(|(id, ill, count)| format!("{count} of the {} {members} not healthy ({id} is {ill})", ids.len())))
}

async fn still_draining(aws: &Aws, run: &Run) -> Result<Option<InstanceId>, StepError> {
    let old = Members::Old.recorded(aws, run).await?;
    let ids: Vec<_> = old.iter().collect();
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    Ok(ids.into_iter().find(|id| *health.of(id) != Health::Out).cloned())
}
