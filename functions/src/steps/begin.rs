//! Begins a run: looks at everything it will need, refuses what cannot go well, then takes the fleet's lock and
//! records the plan and what was before. Up to the lock it only reads.
//!
//! Undone by `finish`, which releases the lock. Asked again, it finds its own lock and record and answers the same.

use super::look::look;
use crate::StepError;
use crate::aws::Aws;
use fleet::{Fingerprint, FleetName, Phase, Refusal, Run, RunId, RunRef, StateContext, Version, admit, hop_path};
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
    /// The plan that was read; a fleet that has changed since is refused.
    plan: Option<Fingerprint>,
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
    let Request { fleet, to, approval, plan } = input.request;
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
    let admission = admit(&record.record, &look(aws, &record.record).await?, &hops)?;
    if plan.is_some_and(|plan| plan != admission.fingerprint) {
        return Err(Refusal::PlanIsOld { fleet: run.fleet }.into());
    }
    let now = aws.now();
    record.record.lock(run.id.clone());
    let run = Run::begin(run, hops, admission.size, config, &admission.before, record.record.fence, now);
    aws.ledger().begin(&record, &run, &admission.before).await?;
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
