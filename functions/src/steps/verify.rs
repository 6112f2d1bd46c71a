//! Checks that everything is in order (by hand: step 12): that members are healthy, and that they stay healthy over a bake
//! time while no watched alarm is in the `ALARM` state.
//!
//! The step changes only the run's own record: it records an image whose members fail, so that the image goes into
//! quarantine. Nothing needs to be undone. Repeating the step checks again.

use super::commit;
use super::members::{Members, record_image_failure};
use super::wait::wait;
use crate::aws::Aws;
use crate::{AllowedPhase, StepError};
use fleet::{Deadline, RaisedAlarm, Run, StateContext, StayingMembers, Ticket, Workflow};
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
    /// All members are healthy.
    Healthy,
    /// All members stay healthy, and no watched alarm is raised, for the configured bake time.
    Bake,
    /// The name by which definitions of earlier releases invoke the step `commit`.
    LastLook,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, members, check }: Input) -> Result<Output, StepError> {
    if check == Check::LastLook {
        return commit::run(aws, commit::Input { run, state }).await.map(|commit::Output {}| Output {});
    }
    let allowed = match members {
        Members::Leaving | Members::Source => AllowedPhase::NotEnded,
        _ => AllowedPhase::Forward,
    };
    let mut run = aws.ledger().hold(&run, allowed).await?;
    if let Some(problem) = problem(aws, &run.record, members, check, &state).await? {
        record_image_failure(aws, &mut run, members, &problem).await?;
        return Err(StepError::Failed(problem));
    }
    if check == Check::Bake {
        let upgrade = &run.record.config.upgrade;
        let bake = if members == Members::Canary { upgrade.canary_bake } else { upgrade.bake };
        let done = Deadline::after(state.entered_time, bake);
        if !done.passed(aws.now()) {
            return Err(StepError::NotYet(format!("the {members} bake until {done}")));
        }
    } else if run.record.workflow == Workflow::ScaleOut {
        let ids = members.recorded(aws, &run.record).await?;
        if ids.is_empty() {
            return Err(StepError::Failed("none of the launched members exists any more".to_owned()));
        }
        aws.ledger().record_staying_members(&run.record, &StayingMembers { ids }).await?;
    }
    Ok(Output {})
}

/// What is wrong with the members, if anything. `NotYet` while unhealthy members can still become healthy.
async fn problem(
    aws: &Aws,
    run: &Run,
    members: Members,
    check: Check,
    state: &StateContext,
) -> Result<Option<String>, StepError> {
    let unhealthy = members.unhealthy(aws, run).await?;
    if check == Check::Healthy {
        let Some(unhealthy) = unhealthy else { return Ok(None) };
        return match wait(aws, state, run.config.limits.healthy, unhealthy) {
            Err(StepError::Failed(problem)) => Ok(Some(problem)),
            waiting => waiting,
        };
    }
    if let Some(unhealthy) = unhealthy {
        return Ok(Some(format!("{unhealthy} while the {members} were baking")));
    }
    let raised = aws.first_raised_alarm(&run.config.upgrade.alarms).await?;
    Ok(raised.map(|RaisedAlarm { name, problem }| format!("alarm '{name}' {problem}")))
}
