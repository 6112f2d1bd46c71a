//! The two alarms that start a fleet's scaling, put where its configuration is applied, since their thresholds are in it.
//!
//! Each is on a Metrics Insights query over the instances that carry the load-balancer tag, which takes in members as they
//! come and leaves them out as they go: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-alarms.html>.
//! An alarm only wakes the state machine; the decision reads each member's own points.

use super::stack::Stack;
use super::stop::Stop;
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricDataQuery};
use fleet::{AlarmKind, AnyTag, Config, Threshold, alarm_name};
use functions::Named;

/// A point a minute, which detailed monitoring has; of basic monitoring one in five minutes has a point.
const PERIOD: i32 = 60;

/// Puts the alarms of a fleet that scales, and takes them away from one that does not. Repeating it changes nothing.
pub(super) async fn put(stack: &Stack, config: &Config) -> Result<(), Stop> {
    let name = &config.fleet.name;
    let Some(scaling) = &config.scaling else {
        // One by one: where one of several is missing, none is deleted.
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
            AlarmKind::Idle => (ComparisonOperator::LessThanThreshold, "below the target: fewer members may do"),
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

/// The average over whoever takes traffic. In Metrics Insights a name is quoted with `"` and a value with `'`, each doubled
/// where it occurs itself.
fn expression(tag: &AnyTag) -> String {
    let (key, value) = (tag.key.replace('"', "\"\""), tag.value.replace('\'', "''"));
    format!(r#"SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE tag."{key}" = '{value}'"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_over_the_tag_however_it_is_written() {
        let tag = |key: &str, value: &str| AnyTag { key: key.to_owned(), value: value.to_owned() };
        let plain = r#"SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE tag."service" = 'appwrite'"#;
        assert_eq!(expression(&tag("service", "appwrite")), plain);
        assert!(expression(&tag("a\"b", "it's")).ends_with(r#"WHERE tag."a""b" = 'it''s'"#));
    }
}
