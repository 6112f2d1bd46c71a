//! Finds the quietest window of the coming week for an upgrade, and says why. It uses the request counts of the fleet's load
//! balancer, and stays within the windows of the configuration, if there are any. It only reads. The operator's command
//! invokes it; no run does.
//!
//! Not undone: the step changes nothing.

use crate::StepError;
use crate::aws::Aws;
use fleet::{FleetName, QuietError, QuietWindow, Refusal, Span, Trace, quietest};
use jiff::SignedDuration;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    fleet: FleetName,
    /// How long the upgrade is expected to take.
    length_seconds: u32,
}

/// How far back the step reads request counts: three weeks tell a weekly pattern from a single event.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(21 * 24);

pub(crate) async fn run(aws: &Aws, Input { fleet, length_seconds }: Input) -> Result<QuietWindow, StepError> {
    let record = aws.ledger().fleet(&fleet).await?.ok_or(Refusal::UnknownFleet { fleet })?.record;
    let group = &record.config.load_balancer.target_group;
    let now = aws.now();
    let balancers = aws.load_balancers(group).await?;
    if balancers.is_empty() {
        let why = format!("load_balancer.target_group: {group} gets no requests from an application load balancer");
        return Err(StepError::Refused(why));
    }
    let since = now.saturating_sub(LOOK_BACK).unwrap_or(now);
    let counts = aws.request_counts(group, &balancers, since, now).await?;
    let trace =
        Trace::from_points(counts).map_err(|error| StepError::Refused(format!("the request counts: {error}")))?;
    let config = &record.config;
    let length = Span::seconds(length_seconds);
    quietest(&trace, &config.fleet.time_zone, length, &config.upgrade.windows, now).map_err(|error| match error {
        QuietError::NotPermitted(_) => StepError::Refused(error.to_string()),
        error => StepError::Refused(format!("the request counts of the last three weeks: {error}")),
    })
}
