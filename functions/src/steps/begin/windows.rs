//! The windows of `upgrade.windows`: whether a run may begin now, or when it may.

use super::request::Request;
use crate::StepError;
use crate::aws::Aws;
use fleet::{FleetRecord, Order, Phase, Refusal, Run, Span, Version, Workflow, check_window, check_window_of_image};
use jiff::Timestamp;
use serde::Serialize;

/// When to begin again, with which request, and why not now.
#[derive(Debug, Serialize)]
pub(super) struct Later {
    at: Timestamp,
    request: Request,
    why: String,
}

/// Checks the windows of the fleet for `order`. Returns when to begin again if the request may wait for the next window.
///
/// # Errors
/// [`StepError::Refused`] when the run does not fit into this window and may not wait, or when a window would repeat an
/// upgrade that was rolled back. Any error of DynamoDB.
pub(super) async fn check(
    aws: &Aws,
    fleet: &FleetRecord,
    order: &Order,
    request: &Request,
) -> Result<Option<Later>, StepError> {
    if !fleet.config.upgrade.windows.is_empty() {
        match order {
            Order::Upgrade(hops) => {
                let past = aws.ledger().runs(fleet.name()).await?;
                let rehearsed: Vec<_> = request.takes_seconds.map(Span::seconds).into_iter().collect();
                match check_window(&fleet.config, hops.len(), &past, &rehearsed, aws.now()) {
                    Err(Refusal::Window(closed)) if request.waits == Some(true) && closed.next().is_some() => {
                        let at = closed.next();
                        let why = Refusal::Window(closed).to_string();
                        return Ok(at.map(|at| Later { at, request: request.clone(), why }));
                    }
                    checked => checked?,
                }
            }
            Order::GoldenImage { .. } => {
                check_window_of_image(&fleet.config, &aws.ledger().runs(fleet.name()).await?, aws.now())?;
            }
            _ => {}
        }
    }
    if let (Some(true), Some(to)) = (request.window, request.to) {
        check_not_rolled_back(&aws.ledger().runs(fleet.name()).await?, to)?;
    }
    Ok(None)
}

/// A window does not repeat an upgrade that was rolled back: its migration has run, and an operator must find the cause.
fn check_not_rolled_back(past: &[Run], to: Version) -> Result<(), StepError> {
    let failed = |run: &&Run| {
        run.workflow == Workflow::Upgrade && run.to == to && run.phase == Phase::Ended(fleet::Outcome::RolledBack)
    };
    match past.iter().find(failed) {
        None => Ok(()),
        Some(run) => Err(StepError::Refused(format!(
            "upgrade.wanted: {} to {to} was rolled back, so no window repeats it: find the cause, then start it with \
             'fleetwright upgrade', or set another version",
            run.run
        ))),
    }
}
