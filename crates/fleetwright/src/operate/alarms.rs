//! The two alarms that start a fleet's scaling runs. `apply` creates them, because their thresholds are in the configuration.
//!
//! Each watches a Metrics Insights query over the instances that carry the load-balancer tag, so CloudWatch includes new
//! members and drops deleted ones by itself: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-alarms.html>.
//! An alarm only starts the state machine; the decision reads each member's own data points.

use super::stack::Stack;
use super::stop::Stop;
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDataQuery};
use fleet::{AlarmKind, AnyTag, Config, Threshold, alarm_name};
use functions::Named;

/// Seconds per data point. Detailed monitoring has one point a minute; basic monitoring has one in five minutes.
const PERIOD: i32 = 60;

/// Creates the alarms of a fleet that scales, and deletes those of a fleet that does not. Repeating it changes nothing.
pub(super) async fn put(stack: &Stack, config: &Config) -> Result<(), Stop> {
    let name = &config.fleet.name;
    let Some(scaling) = &config.scaling else {
        // One by one: if one of several alarms is missing, DeleteAlarms deletes none.
        for kind in [AlarmKind::Busy, AlarmKind::Idle] {
            let call = stack.cloudwatch.delete_alarms().alarm_names(alarm_name(name, kind));
            match call.send().await.of("DeleteAlarms") {
                Err(error) if !error.is_alarm_missing() => return Err(error.into()),
                _ => {}
            }
        }
        return Ok(());
    };
    for Threshold { kind, percent, minutes } in scaling.thresholds() {
        let (crosses, what) = match kind {
            AlarmKind::Busy => {
                (ComparisonOperator::GreaterThanThreshold, "above the target: more members may be needed")
            }
            AlarmKind::Idle => (ComparisonOperator::LessThanThreshold, "below the target: fewer members may suffice"),
        };
        let minutes = i32::try_from(minutes).unwrap_or(i32::MAX);
        let query = MetricDataQuery::builder().id("cpu").period(PERIOD).return_data(true);
        let call = stack
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(alarm_name(name, kind))
            .alarm_description(format!("The CPU of fleet {name} is {what}"))
            .metrics(query.expression(expression(&config.fleet.load_balancer_tag)).build())
            .comparison_operator(crosses)
            .threshold(percent)
            .evaluation_periods(minutes)
            .datapoints_to_alarm(minutes)
            .treat_missing_data("missing");
        call.send().await.of("PutMetricAlarm")?;
    }
    Ok(())
}

/// The average CPU of the instances that carry the load-balancer tag. Metrics Insights quotes a name with `"` and a value
/// with `'`; either is doubled where it occurs inside.
fn expression(tag: &AnyTag) -> String {
    let (key, value) = (tag.key.replace('"', "\"\""), tag.value.replace('\'', "''"));
    format!(r#"SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE tag."{key}" = '{value}'"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_quotes_any_tag() {
        let tag = |key: &str, value: &str| AnyTag { key: key.to_owned(), value: value.to_owned() };
        let plain = r#"SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE tag."service" = 'appwrite'"#;
        assert_eq!(expression(&tag("service", "appwrite")), plain);
        assert!(expression(&tag("a\"b", "it's")).ends_with(r#"WHERE tag."a""b" = 'it''s'"#));
    }
}
