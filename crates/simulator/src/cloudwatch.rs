//! CloudWatch's alarms. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use ciborium::Value as Cbor;

use crate::clock::Time;
use crate::service::{ServiceError, unsupported};
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

/// The alarms that are named, or all of them. An unknown name is no error: it is left out.
fn describe_alarms(state: &State, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    let names = fields.strings("AlarmNames")?;
    fields.finish()?;
    let chosen = state.world.alarms.iter().filter(|alarm| names.is_empty() || names.contains(alarm));
    let alarms = chosen.map(|alarm| {
        let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{alarm}", state.world.region, state.world.account);
        cbor::map([
            ("AlarmName", Cbor::from(alarm.as_str())),
            ("AlarmArn", Cbor::from(arn)),
            ("ActionsEnabled", Cbor::Bool(true)),
            ("StateValue", Cbor::from("OK")),
            ("StateReason", Cbor::from("Threshold Crossed: no datapoints were greater than the threshold")),
            ("StateUpdatedTimestamp", cbor::timestamp(state.epoch_seconds(Time::ZERO))),
        ])
    });
    Ok(cbor::encode(&cbor::map([
        ("MetricAlarms", Cbor::Array(alarms.collect())),
        ("CompositeAlarms", Cbor::Array(Vec::new())),
    ])))
}
