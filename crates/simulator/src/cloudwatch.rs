//! CloudWatch's alarms. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use ciborium::Value as Cbor;

use crate::clock::Time;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::cbor;
use crate::wire::json::Fields;

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    match operation {
        "DescribeAlarms" => describe_alarms(state, fields),
        other => Err(unsupported(format_args!("the operation {other} of CloudWatch"))),
    }
}

/// The alarms that are named, or all of them, on one page: the world's are few. An unknown name is no error: it is left
/// out. Without `AlarmTypes` metric alarms are meant; the world has no others.
fn describe_alarms(state: &State, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    let names = fields.strings("AlarmNames")?;
    let types = fields.strings("AlarmTypes")?;
    if let Some(records @ (0 | 101..)) = fields.number("MaxRecords")? {
        let text = format!("Value {records} at 'maxRecords' failed to satisfy constraint: from 1 to 100");
        return Err(refuse("ValidationError", text));
    }
    fields.finish()?;
    let metric = types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm");
    let named = |alarm: &&String| names.is_empty() || names.contains(alarm);
    let chosen = state.world.alarms.iter().filter(|alarm| metric && named(alarm));
    let value = if state.faults.alarm_rings(state.now) { "ALARM" } else { "OK" };
    let alarms = chosen.map(|alarm| {
        let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{alarm}", state.world.region, state.world.account);
        cbor::map([
            ("AlarmName", Cbor::from(alarm.as_str())),
            ("AlarmArn", Cbor::from(arn)),
            ("ActionsEnabled", Cbor::Bool(true)),
            ("StateValue", Cbor::from(value)),
            ("StateReason", Cbor::from("Threshold Crossed")),
            ("StateUpdatedTimestamp", cbor::timestamp(state.epoch_seconds(Time::ZERO))),
        ])
    });
    Ok(cbor::encode(&cbor::map([
        ("MetricAlarms", Cbor::Array(alarms.collect())),
        ("CompositeAlarms", Cbor::Array(Vec::new())),
    ])))
}
