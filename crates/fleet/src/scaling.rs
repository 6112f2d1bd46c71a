//! How large a fleet is to be: decided from its CPU, its limits and the database's connections, or by a person.
//!
//! The CPU of members in service says how much work there is: percent times members. As many members as bring that work
//! to the target are wanted. A point is therefore read by how many were in service in its minute, not by how many
//! there are now: what was ordered after it is not ordered again.

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
pub use request::{Direction, ScaleRequest};
