//! CloudWatch metrics: the CPU of instances, and the requests of a target group.

use super::{Aws, CallError, Named};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use fleet::{CpuPoint, InstanceId, TargetGroupArn};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The largest number of metrics in one GetMetricData.
const METRICS: usize = 500;
/// The period in seconds. Detailed monitoring has one point a minute; basic monitoring has one point in five minutes.
const PERIOD: i32 = 60;

impl Aws {
    /// The CPU of each of `ids` in percent, one point a minute, as far as CloudWatch has it.
    ///
    /// # Errors
    /// Any error of CloudWatch.
    pub async fn cpu(
        &self,
        ids: &[&InstanceId],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<InstanceId, Vec<CpuPoint>>, CallError> {
        let mut points: BTreeMap<InstanceId, Vec<CpuPoint>> = BTreeMap::new();
        for batch in ids.chunks(METRICS) {
            let queries = batch.iter().enumerate().map(|(n, id)| {
                query(n, "AWS/EC2", "CPUUtilization", &[("InstanceId", id.as_str())], PERIOD, "Average")
            });
            for (n, series) in self.metric_data(queries.collect(), from, to).await? {
                let Some(id) = batch.get(n) else { continue };
                let series = series.into_iter().map(|(at, percent)| CpuPoint { at, percent });
                points.entry((*id).clone()).or_default().extend(series);
            }
        }
        Ok(points)
    }

    /// The points of metrics, each with the index of its query.
    async fn metric_data(
        &self,
        queries: Vec<MetricDataQuery>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(usize, Vec<(Timestamp, f64)>)>, CallError> {
        let call = self.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries));
        let call = call.start_time(DateTime::from_secs(from.as_second())).end_time(DateTime::from_secs(to.as_second()));
        let mut pages = call.scan_by(ScanBy::TimestampAscending).into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            for found in page.of("GetMetricData")?.metric_data_results() {
                let Some(n) = found.id().and_then(|id| id.strip_prefix('m')?.parse().ok()) else { continue };
                let series = found.timestamps().iter().zip(found.values());
                let series = series.filter_map(|(at, value)| Some((Timestamp::from_second(at.secs()).ok()?, *value)));
                all.push((n, series.collect()));
            }
        }
        Ok(all)
    }

    /// The number of requests that a target group got from load balancers, in periods of five minutes, in order of time. A
    /// period without requests has no point, as in CloudWatch.
    ///
    /// # Errors
    /// Any error of CloudWatch.
    pub async fn request_counts(
        &self,
        group: &TargetGroupArn,
        balancers: &[String],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<Timestamp, f64>, CallError> {
        let queries = balancers.iter().enumerate().map(|(n, balancer)| {
            let dimensions = [("TargetGroup", group.resource()), ("LoadBalancer", balancer)];
            query(n, "AWS/ApplicationELB", "RequestCount", &dimensions, 300, "Sum")
        });
        let mut counts: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for (_, points) in self.metric_data(queries.collect(), from, to).await? {
            for (at, requests) in points {
                *counts.entry(at).or_default() += requests;
            }
        }
        Ok(counts)
    }
}

fn query(n: usize, space: &str, name: &str, dimensions: &[(&str, &str)], period: i32, stat: &str) -> MetricDataQuery {
    let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let metric =
        Metric::builder().namespace(space).metric_name(name).set_dimensions(Some(dimensions.collect())).build();
    let stat = MetricStat::builder().metric(metric).period(period).stat(stat).build();
    MetricDataQuery::builder().id(format!("m{n}")).metric_stat(stat).build()
}
