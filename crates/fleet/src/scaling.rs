//! Decides the size of a fleet from its CPU, its limits and the database's connections, or from an operator's order.
//!
//! Percent of CPU times members in service is the work of a fleet. The wanted size is the number of members that brings this
//! work to the target. The work of a data point is computed with the members in service in its minute, not with those now,
//! so that a size change after the point is not decided twice.

mod alarms;
mod decide;
mod decision;
mod reading;
mod request;
mod work;

#[cfg(test)]
mod tests;

pub use alarms::{AlarmKind, Threshold, alarm_name, alarm_of};
pub use decide::{decide, leaving};
pub use decision::{Action, Decision, Inputs, Limit, Reason, SeenCpu};
pub use reading::{CpuPoint, Reading, ScalingMember, SizeOrder, fleet_cpu};
pub use request::{Direction, InvalidRequest, ScaleRequest};
