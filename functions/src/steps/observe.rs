//! Observes a fleet for its operator, who needs no permissions on EC2. It only reads, and no run invokes it.
//!
//! Not undone: the step changes nothing.

use super::observation::{health, inventory, observe};
use crate::StepError;
use crate::aws::Aws;
use fleet::{Config, FleetName, FleetRecord, Observed, Refusal};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    fleet: FleetName,
    /// A configuration that the operator is about to apply; it replaces the configuration in the ledger.
    config: Option<Config>,
}

pub(crate) async fn run(aws: &Aws, Input { fleet, config }: Input) -> Result<Observed, StepError> {
    let record = match (aws.ledger().fleet(&fleet).await?, config) {
        (Some(found), None) => found.record,
        (Some(found), Some(config)) => FleetRecord { config, ..found.record },
        (None, Some(config)) => FleetRecord::new(config),
        (None, None) => return Err(Refusal::UnknownFleet { fleet }.into()),
    };
    let health = health(aws, &record).await?;
    let observed = observe(aws, &record, &health, record.golden.as_ref().map(|golden| &golden.image)).await?;
    let mut inventory = inventory(aws, &record, &health).await?;
    inventory.snapshots = aws.snapshots_of_images(&fleet).await?;
    Ok(Observed { inventory: Some(inventory), ..observed })
}
