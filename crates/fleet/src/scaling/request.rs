//! The input of a scaling execution. An operator, a schedule or an alarm's event starts it.

use super::SizeOrder;
use crate::{AlarmKind, FleetName, alarm_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which way an execution may change a fleet's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It may add members.
    Out,
    /// It may remove members.
    In,
}

/// A request to scale a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleRequest {
    /// The fleet's name.
    pub fleet: FleetName,
    /// The size that an operator or a schedule orders. Without an order, the CPU decides.
    pub order: Option<SizeOrder>,
}

/// The input that an operator or a schedule writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    fleet: FleetName,
    to: Option<u32>,
    by: Option<i32>,
}

/// The part of EventBridge's `CloudWatch Alarm State Change` event that matters here.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlarmEvent {
    detail: AlarmDetail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlarmDetail {
    alarm_name: String,
}

/// An input that is not a request to scale a fleet.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRequest {
    /// The event does not have the form of an alarm's event.
    #[error("the event: {0}; expected a CloudWatch Alarm State Change")]
    Event(#[source] serde_json::Error),
    /// The alarm is not one of Fleetwright's, or is the alarm for the other direction.
    #[error("the event: '{name}' is not an alarm that starts a {direction}")]
    Alarm {
        /// The alarm's name.
        name: String,
        /// The direction of the execution.
        direction: Direction,
    },
    /// The input does not have the form of a request.
    #[error("the execution's input: {0}; expected \"fleet\", and \"to\": MEMBERS or \"by\": CHANGE to order a size")]
    Input(#[source] serde_json::Error),
    /// The input has two orders.
    #[error("the execution's input: expected \"to\" or \"by\", not both")]
    TwoOrders,
}

impl ScaleRequest {
    /// Reads the input of an execution that may change the size in `direction`.
    ///
    /// # Errors
    /// [`InvalidRequest`], which says what would be right.
    pub fn read(input: Value, direction: Direction) -> Result<Self, InvalidRequest> {
        if input.get("detail-type").is_some() {
            let event: AlarmEvent = serde_json::from_value(input).map_err(InvalidRequest::Event)?;
            let name = event.detail.alarm_name;
            return match alarm_of(&name) {
                Some((fleet, kind)) if kind == direction.into() => Ok(Self { fleet, order: None }),
                _ => Err(InvalidRequest::Alarm { name, direction }),
            };
        }
        let written: WrittenRequest = serde_json::from_value(input).map_err(InvalidRequest::Input)?;
        let order = match (written.to, written.by) {
            (Some(_), Some(_)) => return Err(InvalidRequest::TwoOrders),
            (Some(to), None) => Some(SizeOrder::To(to)),
            (None, by) => by.map(SizeOrder::By),
        };
        Ok(Self { fleet: written.fleet, order })
    }
}

impl From<Direction> for AlarmKind {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Out => Self::Busy,
            Direction::In => Self::Idle,
        }
    }
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Out => "scale-out",
            Self::In => "scale-in",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(alarm: &str) -> Value {
        json!({
            "version": "0",
            "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": "123456789012",
            "time": "2019-10-02T17:04:40Z",
            "region": "us-east-1",
            "resources": [format!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm}")],
            "detail": {"alarmName": alarm, "state": {"value": "ALARM"}, "previousState": {"value": "OK"}},
        })
    }

    #[test]
    fn an_alarm_names_its_fleet_and_an_operator_orders_a_size() {
        let read = |input: Value| ScaleRequest::read(input, Direction::Out).unwrap();
        let of = |order| ScaleRequest { fleet: "two-parts".parse().unwrap(), order };
        assert_eq!(read(event("fleetwright-busy-two-parts")), of(None));
        assert_eq!(read(json!({"fleet": "two-parts", "by": 2})), of(Some(SizeOrder::By(2))));
        assert_eq!(read(json!({"fleet": "two-parts", "to": 7})), of(Some(SizeOrder::To(7))));
        assert_eq!(read(json!({"fleet": "two-parts"})), of(None));
    }

    #[test]
    fn other_events_and_inputs_are_refused() {
        let error = |input: Value| ScaleRequest::read(input, Direction::In).unwrap_err().to_string();
        assert!(error(event("fleetwright-busy-two-parts")).contains("is not an alarm that starts a scale-in"));
        assert!(error(event("somebody-elses")).contains("somebody-elses"));
        assert!(error(json!({"fleet": "x", "to": 1, "by": 1})).contains("not both"));
        assert!(error(json!({"fleet": "x", "size": 1})).contains("size"));
        assert!(error(json!({"fleet": "x", "to": -1})).contains("\"to\": MEMBERS"));
    }
}
