//! Commits the run: the point of no return. From here on it can only finish, by deleting the leaving members.
//!
//! The step checks once more that every staying member is healthy and that no watched alarm is in the `ALARM` state. It
//! waits until the leaving members have drained. Then it records the commit. A check that fails fails the run, which rolls
//! back. A commit is not undone; repeating the step changes nothing.

use super::members::{Members, record_image_failure};
use super::wait::wait;
use crate::aws::Aws;
use crate::{AllowedPhase, StepError};
use fleet::{Health, InstanceId, Phase, RaisedAlarm, Run, StateContext, Ticket};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(super) run: Ticket,
    pub(super) state: StateContext,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state }: Input) -> Result<Output, StepError> {
    let mut run = aws.ledger().hold(&run, AllowedPhase::ForwardOrCommitted).await?;
    if run.record.phase == Phase::Committed {
        return Ok(Output {});
    }
    if let Some(problem) = problem(aws, &run.record).await? {
        record_image_failure(aws, &mut run, Members::Staying, &problem).await?;
        return Err(StepError::Failed(problem));
    }
    if let Some(draining) = still_draining(aws, &run.record).await? {
        let limit = run.record.drain + run.record.config.limits.healthy;
        return wait(aws, &state, limit, format!("{draining} is draining"));
    }
    run.record.move_to(Phase::Committed)?;
    run.record.committed = Some(aws.now());
    aws.ledger().write(&mut run).await?;
    Ok(Output {})
}

/// The reason why the run must not commit, if there is one.
async fn problem(aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
    if let Some(unhealthy) = Members::Staying.unhealthy(aws, run).await? {
        return Ok(Some(format!("{unhealthy} at the commit, before the leaving members are deleted")));
    }
    let raised = aws.first_raised_alarm(&run.config.upgrade.alarms).await?;
    Ok(raised.map(|RaisedAlarm { name, problem }| format!("alarm '{name}' {problem}")))
}

/// A leaving member that the target group still knows, if there is one.
async fn still_draining(aws: &Aws, run: &Run) -> Result<Option<InstanceId>, StepError> {
    let leaving = Members::Leaving.recorded(aws, run).await?;
    let ids: Vec<_> = leaving.iter().collect();
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    Ok(ids.into_iter().find(|id| *health.of(id) != Health::Out).cloned())
}
