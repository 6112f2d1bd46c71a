//! The input of an execution, and the order in it.

use crate::StepError;
use fleet::{Fingerprint, FleetName, FleetRecord, InstanceId, Machine, Order, RevertTo, Version, hop_path};
use serde::{Deserialize, Serialize};

/// The input with which an operator or a schedule starts the execution.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) fleet: FleetName,
    /// The version to upgrade to.
    pub(super) to: Option<Version>,
    /// Instead of `to`: the kept image to return to.
    #[serde(alias = "rollback")]
    revert: Option<RevertTo>,
    /// Instead of either: true, to undo changes by hand.
    restore: Option<bool>,
    pub(super) approval: Option<bool>,
    /// The fingerprint of the plan that the operator read. If the fleet has changed since, the step refuses the run.
    pub(super) plan: Option<Fingerprint>,
    /// Whether a window starts the run, not an operator.
    pub(super) window: Option<bool>,
    /// Whether the execution waits for the next window if the run does not fit into this one. It holds no lock meanwhile.
    pub(super) waits: Option<bool>,
    /// The duration of rehearsals of the upgrade, for a fleet with windows that has had no such upgrade.
    pub(super) takes_seconds: Option<u32>,
    /// The source member of a golden image; without it, the step chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<InstanceId>,
    /// Whether the golden image may take the last member out of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    downtime: Option<bool>,
}

impl Request {
    /// The order in the input. None if the fleet has that version or image already.
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
