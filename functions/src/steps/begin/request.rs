//! What an execution is started with, and what that asks for.

use crate::StepError;
use fleet::{Fingerprint, FleetName, FleetRecord, InstanceId, Machine, Order, RevertTo, Version, hop_path};
use serde::{Deserialize, Serialize};

/// What an operator or a schedule starts the execution with.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) fleet: FleetName,
    /// The version to upgrade to.
    pub(super) to: Option<Version>,
    /// Instead of that: the image to go back to.
    #[serde(alias = "rollback")]
    revert: Option<RevertTo>,
    /// Instead of either: true, to restore what was edited by hand.
    restore: Option<bool>,
    pub(super) approval: Option<bool>,
    /// The plan that was read; a fleet that has changed since is refused.
    pub(super) plan: Option<Fingerprint>,
    /// Whether a window picks it up by itself.
    pub(super) window: Option<bool>,
    /// Whether it waits for the next window if it does not fit into this one; nothing is held meanwhile.
    pub(super) waits: Option<bool>,
    /// How long rehearsals of the upgrade took, for a fleet that has windows and has had no such upgrade.
    pub(super) takes_seconds: Option<u32>,
    /// The member that a golden image is taken of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<InstanceId>,
    /// Whether nobody needs to be in service meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    downtime: Option<bool>,
}

impl Request {
    /// What is asked for; none if the fleet is there already.
    pub(super) fn order(&self, machine: Machine, fleet: &FleetRecord) -> Result<Option<Order>, StepError> {
        let of_member = self.member.is_some() || self.downtime.is_some();
        match (machine, self.to, &self.revert, self.restore) {
            (Machine::Upgrade, Some(to), None, None) if !of_member => {
                let hops = hop_path(fleet.to_be_cloned()?.version, to, &fleet.config.upgrade.hops)?;
                Ok((!hops.is_empty()).then_some(Order::Upgrade(hops)))
            }
            (Machine::Upgrade, None, Some(target), None) if !of_member => {
                let target = fleet.kept(target)?;
                Ok((Some(&target) != fleet.golden.as_ref()).then_some(Order::Revert(target)))
            }
            (Machine::Upgrade, None, None, Some(true)) if !of_member => Ok(Some(Order::Restore)),
            (Machine::GoldenImage, None, None, None) => {
                let downtime = self.downtime.unwrap_or_default();
                Ok(Some(Order::GoldenImage { of: self.member.clone(), downtime }))
            }
            (Machine::GoldenImage, ..) => Err(StepError::Refused(
                "the execution's input: expected \"fleet\", and besides it \"member\": INSTANCE and \"downtime\": true, \
                 or \"repair\": RUN"
                    .to_owned(),
            )),
            _ => Err(StepError::Refused(
                "the execution's input: expected one of \"to\": VERSION, \"revert\": IMAGE or \"last-good\", \
                 \"restore\": true and \"repair\": RUN"
                    .to_owned(),
            )),
        }
    }
}
