//! CloudWatch alarms: whether they are raised.

use super::{Aws, CallError, Named};
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use fleet::RaisedAlarm;
use std::collections::BTreeMap;

/// The largest number of names in one DescribeAlarms.
const BATCH: usize = 100;

impl Aws {
    /// The first of `alarms`, metric alarms or composite alarms, that is in the `ALARM` state or does not exist. A missing
    /// alarm counts as raised, since nothing watches in its place.
    ///
    /// # Errors
    /// Any error of CloudWatch.
    pub async fn first_raised_alarm(&self, alarms: &[String]) -> Result<Option<RaisedAlarm>, CallError> {
        for batch in alarms.chunks(BATCH) {
            let call = self.cloudwatch.describe_alarms().set_alarm_names(Some(batch.to_vec())).max_records(100);
            let call = call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
            let answer = call.send().await.of("DescribeAlarms")?;
            let metric = answer.metric_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
            let composite = answer.composite_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
            let found: BTreeMap<_, _> = metric.chain(composite).collect();
            for name in batch {
                let problem = match found.get(&Some(name.as_str())) {
                    None => "does not exist",
                    Some(Some(StateValue::Alarm)) => "is in ALARM",
                    Some(_) => continue,
                };
                return Ok(Some(RaisedAlarm { name: name.clone(), problem: problem.to_owned() }));
            }
        }
        Ok(None)
    }

    /// Whether the metric alarm of this name is in the `ALARM` state. An alarm that does not exist is not.
    ///
    /// # Errors
    /// Any error of CloudWatch.
    pub async fn is_raised(&self, alarm: &str) -> Result<bool, CallError> {
        let call = self.cloudwatch.describe_alarms().alarm_names(alarm).alarm_types(AlarmType::MetricAlarm);
        let answer = call.send().await.of("DescribeAlarms")?;
        Ok(answer.metric_alarms().iter().any(|one| one.state_value() == Some(&StateValue::Alarm)))
    }
}
