//! What a scaling execution is started with: by a person, by a schedule, or by the alarm's own event.

use super::SizeOrder;
use crate::{AlarmKind, FleetName, alarm_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which way an execution may change a fleet's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More members.
    Out,
    /// Fewer.
    In,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleRequest {
    /// Of which fleet.
    pub fleet: FleetName,
    /// The size that a person wants; without it the CPU decides.
    pub order: Option<SizeOrder>,
}

/// As a person or a schedule writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fleet: FleetName,
    to: Option<u32>,
    by: Option<i32>,
}

/// What is read of EventBridge's `CloudWatch Alarm State Change`.
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

impl ScaleRequest {
    /// Reads the input of an execution that goes in `direction`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn read(input: Value, direction: Direction) -> Result<Self, String> {
        if input.get("detail-type").is_some() {
            let event: AlarmEvent = serde_json::from_value(input)
                .map_err(|error| format!("the event: {error}; expected a CloudWatch Alarm State Change"))?;
            let name = event.detail.alarm_name;
            return match alarm_of(&name) {
                Some((fleet, kind)) if kind == direction.into() => Ok(Self { fleet, order: None }),
                _ => Err(format!("the event: '{name}' is no alarm that asks for a {direction}")),
            };
        }
        let written: Written = serde_json::from_value(input).map_err(|error| {
            format!(
                "the execution's input: {error}; expected \"fleet\", and \"to\": MEMBERS or \"by\": CHANGE for a size of \
                 your own"
            )
        })?;
        let order = match (written.to, written.by) {
            (Some(_), Some(_)) => return Err("the execution's input: expected \"to\" or \"by\", not both".to_owned()),
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
    fn an_alarm_names_its_fleet_and_a_person_a_size() {
        let read = |input: Value| ScaleRequest::read(input, Direction::Out);
        let of = |order| ScaleRequest { fleet: "two-parts".parse().unwrap(), order };
        assert_eq!(read(event("fleetwright-busy-two-parts")), Ok(of(None)));
        assert_eq!(read(json!({"fleet": "two-parts", "by": 2})), Ok(of(Some(SizeOrder::By(2)))));
        assert_eq!(read(json!({"fleet": "two-parts", "to": 7})), Ok(of(Some(SizeOrder::To(7)))));
        assert_eq!(read(json!({"fleet": "two-parts"})), Ok(of(None)));
    }

    #[test]
    fn what_asks_for_something_else_is_refused() {
        let error = |input: Value| ScaleRequest::read(input, Direction::In).unwrap_err();
        assert!(error(event("fleetwright-busy-two-parts")).contains("is no alarm that asks for a scale-in"));
        assert!(error(event("somebody-elses")).contains("somebody-elses"));
        assert!(error(json!({"fleet": "x", "to": 1, "by": 1})).contains("not both"));
        assert!(error(json!({"fleet": "x", "size": 1})).contains("size"));
        assert!(error(json!({"fleet": "x", "to": -1})).contains("\"to\": MEMBERS"));
    }
}
