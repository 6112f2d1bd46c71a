//! CloudWatch: its alarms, and the CPU of instances.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use ciborium::Value as Cbor;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::Time;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::cbor;
use crate::wire::json::Fields;

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    match operation {
        "DescribeAlarms" => describe_alarms(state, fields),
        "GetMetricData" => get_metric_data(state, fields),
        other => Err(unsupported(format_args!("the operation {other} of CloudWatch"))),
    }
}

/// The named alarms, or all of them. They fit on one page. An unknown name is no error: the answer leaves it out. A
/// request without `AlarmTypes` asks for metric alarms, and the world has no others.
fn describe_alarms(state: &State, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    let names = fields.strings("AlarmNames")?;
    let types = fields.strings("AlarmTypes")?;
    if let Some(records @ (0 | 101..)) = fields.number("MaxRecords")? {
        let text = format!("Value {records} at 'maxRecords' failed to satisfy constraint: from 1 to 100");
        return Err(refuse("ValidationError", text));
    }
    fields.finish()?;
    let metric = types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm");
    let named = |alarm: &String| metric && (names.is_empty() || names.contains(alarm));
    let raised = state.faults.alarm_raised(state.now);
    let named_only = state.world.alarms.iter().map(|alarm| (alarm, raised));
    let on_the_cpu = state.world.cpu_alarms.iter().map(|alarm| (&alarm.name, state.is_raised(alarm)));
    let alarms = named_only.chain(on_the_cpu).filter(|(alarm, _)| named(alarm)).map(|(alarm, raised)| {
        let value = if raised { "ALARM" } else { "OK" };
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

/// The CPU of instances, one point a minute. Only the queries that the steps make are supported. An unknown instance
/// has no points, which is no error.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
fn get_metric_data(state: &State, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    let (from, to) = (time(state, fields, "StartTime")?, time(state, fields, "EndTime")?);
    let order = fields.string("ScanBy")?;
    let queries = fields.take("MetricDataQueries").unwrap_or_default();
    fields.finish()?;
    if order.as_deref() != Some("TimestampAscending") {
        return Err(unsupported(format_args!("GetMetricData in the order {order:?}")));
    }
    let queries: Vec<Query> = serde_json::from_value(queries)
        .map_err(|error| unsupported(format_args!("a query of GetMetricData: {error}")))?;
    if queries.len() > 500 {
        return Err(refuse(
            "ValidationError",
            "The collection MetricDataQueries must not have a size greater than 500.",
        ));
    }
    let results = queries.into_iter().map(|query| {
        let instance = query.instance()?;
        let mut points = Vec::new();
        let mut minute = from.div_ceil(60);
        while minute * 60 < to {
            let at = Time::from_secs(minute * 60);
            points.extend(state.ec2.by_id.get(instance).and_then(|index| Some((at, state.cpu_of(*index, at)?))));
            minute += 1;
        }
        let (times, values) = points
            .into_iter()
            .map(|(at, percent)| (cbor::timestamp(state.epoch_seconds(at)), Cbor::Float(percent)))
            .unzip();
        Ok(cbor::map([
            ("Id", Cbor::from(query.id)),
            ("Label", Cbor::from("CPUUtilization")),
            ("StatusCode", Cbor::from("Complete")),
            ("Timestamps", Cbor::Array(times)),
            ("Values", Cbor::Array(values)),
        ]))
    });
    let results = results.collect::<Result<_, ServiceError>>()?;
    Ok(cbor::encode(&cbor::map([("MetricDataResults", Cbor::Array(results)), ("Messages", Cbor::Array(Vec::new()))])))
}

/// Reads a time as seconds since the start.
fn time(state: &State, fields: &mut Fields, name: &str) -> Result<u64, ServiceError> {
    let seconds = fields.take(name).as_ref().and_then(Value::as_f64);
    let seconds = seconds.ok_or_else(|| refuse("MissingParameter", format!("The parameter {name} is required")))?;
    // The cast of a float saturates.
    Ok((seconds - state.epoch_seconds(Time::ZERO)) as u64)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    id: String,
    metric_stat: MetricStat,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MetricStat {
    metric: Metric,
    period: u64,
    stat: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Metric {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Dimension {
    name: String,
    value: String,
}

impl Query {
    /// The instance whose CPU the query asks for.
    fn instance(&self) -> Result<&str, ServiceError> {
        let MetricStat { metric: Metric { namespace, metric_name, dimensions }, period, stat } = &self.metric_stat;
        match (namespace.as_str(), metric_name.as_str(), period, stat.as_str(), &dimensions[..]) {
            ("AWS/EC2", "CPUUtilization", 60, "Average", [Dimension { name, value }]) if name == "InstanceId" => {
                Ok(value)
            }
            _ => Err(unsupported(format_args!("{stat} of {namespace} {metric_name} over {period} s"))),
        }
    }
}
