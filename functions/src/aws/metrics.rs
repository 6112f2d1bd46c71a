//! What CloudWatch knows of instances, and whether an alarm rings.

use super::{Aws, CallError, Named};
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StateValue};
use aws_smithy_types::DateTime;
use fleet::{CpuPoint, InstanceId};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// At most so many metrics are asked for in one GetMetricData.
const METRICS: usize = 500;
/// Detailed monitoring has a point a minute; of basic monitoring, each of whose points is of five, one in five comes.
const PERIOD: i32 = 60;

impl Aws {
    /// The CPU of each of `ids` in percent, a point a minute, as far as CloudWatch has it.
    ///
    /// # Errors
    /// Whatever CloudWatch answers.
    pub async fn cpu(
        &self,
        ids: &[&InstanceId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<InstanceId, Vec<CpuPoint>>, CallError> {
        let mut points: BTreeMap<InstanceId, Vec<CpuPoint>> = BTreeMap::new();
        for batch in ids.chunks(METRICS) {
            let queries = batch.iter().enumerate().map(|(n, id)| query(n, id)).collect();
            let call = self.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries));
            let call =
                call.start_time(DateTime::from_secs(from.as_second())).end_time(DateTime::from_secs(to.as_second()));
            let mut pages = call.scan_by(ScanBy::TimestampAscending).into_paginator().send();
            while let Some(page) = pages.next().await {
                for found in page.of("GetMetricData")?.metric_data_results() {
                    let of = found.id().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                    let Some(id) = of.and_then(|n| batch.get(n)) else { continue };
                    let series = found.timestamps().iter().zip(found.values()).filter_map(|(at, percent)| {
                        Some(CpuPoint { at: Timestamp::from_second(at.secs()).ok()?, percent: *percent })
                    });
                    points.entry((*id).clone()).or_default().extend(series);
                }
            }
        }
        Ok(points)
    }

    /// Whether the alarm of this name is in ALARM; one that does not exist is not.
    ///
    /// # Errors
    /// Whatever CloudWatch answers.
    pub async fn rings(&self, alarm: &str) -> Result<bool, CallError> {
        let call = self.cloudwatch.describe_alarms().alarm_names(alarm).alarm_types(AlarmType::MetricAlarm);
        let answer = call.send().await.of("DescribeAlarms")?;
        Ok(answer.metric_alarms().iter().any(|one| one.state_value() == Some(&StateValue::Alarm)))
    }
}

fn query(n: usize, id: &InstanceId) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("AWS/EC2")
        .metric_name("CPUUtilization")
        .dimensions(Dimension::builder().name("InstanceId").value(id.as_str()).build())
        .build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Average").build();
    MetricDataQuery::builder().id(format!("m{n}")).metric_stat(stat).build()
}
