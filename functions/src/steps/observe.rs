//! Looks at a fleet for its operator, who needs no rights on EC2 of their own. Only reads; no run calls it.
//!
//! Not undone: nothing is changed.

use super::look::look;
use crate::StepError;
use crate::aws::Aws;
use fleet::{FleetName, Observed, Refusal};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    fleet: FleetName,
}

pub(crate) async fn run(aws: &Aws, Input { fleet }: Input) -> Result<Observed, StepError> {
    let record = aws.ledger().fleet(&fleet).await?.ok_or(Refusal::UnknownFleet { fleet })?;
    look(aws, &record.record).await
}
