//! Looks at a fleet for its operator, who needs no rights on EC2 of their own. Only reads; no run calls it.
//!
//! Not undone: nothing is changed.

use super::observation::{health, inventory, look};
use crate::StepError;
use crate::aws::Aws;
use fleet::{Config, FleetName, FleetRecord, Observed, Refusal};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    fleet: FleetName,
    /// Instead of the ledger's configuration: one that is about to be applied.
    config: Option<Config>,
}

pub(crate) async fn run(aws: &Aws, Input { fleet, config }: Input) -> Result<Observed, StepError> {
    let record = match (aws.ledger().fleet(&fleet).await?, config) {
        (Some(read), None) => read.record,
        (Some(read), Some(config)) => FleetRecord { config, ..read.record },
        (None, Some(config)) => FleetRecord::new(config),
        (None, None) => return Err(Refusal::UnknownFleet { fleet }.into()),
    };
    let health = health(aws, &record).await?;
    let observed = look(aws, &record, &health, record.golden.as_ref().map(|golden| &golden.image)).await?;
    let mut inventory = inventory(aws, &record, &health).await?;
    inventory.snapshots = aws.snapshots_of_images(&fleet).await?;
    Ok(Observed { inventory: Some(inventory), ..observed })
}
