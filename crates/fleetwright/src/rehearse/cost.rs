//! What a rehearsed run would cost, in US dollars: the instances in addition to the fleet's size, and the services.

use fleet::Config;
use std::collections::BTreeMap;
use std::time::Duration;

/// Step Functions Standard, for each state transition. <https://aws.amazon.com/step-functions/pricing/>
const TRANSITION: f64 = 0.025 / 1_000.0;
/// Lambda, for each request. <https://aws.amazon.com/lambda/pricing/>
const INVOCATION: f64 = 0.20 / 1_000_000.0;
/// Lambda on x86, for each second with the 256 MB that the template gives a function.
const FUNCTION_SECOND: f64 = 0.000_016_666_7 / 4.0;
/// DynamoDB on demand, for each write and each strongly consistent read. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const TABLE_WRITE: f64 = 0.625 / 1_000_000.0;
const TABLE_READ: f64 = 0.125 / 1_000_000.0;

/// What a run used.
pub(super) struct Usage<'a> {
    pub(super) instance_seconds: &'a BTreeMap<String, f64>,
    pub(super) duration: Duration,
    pub(super) transitions: u64,
    pub(super) invocations: u64,
    pub(super) function_seconds: f64,
    pub(super) calls: &'a BTreeMap<String, u64>,
}

/// The estimate, rounded to hundredths of a cent.
pub(super) fn usd(config: &Config, usage: &Usage<'_>) -> f64 {
    let member = config.prices.member_hour / 3600.0;
    let builder = config.prices.builder_hour / 3600.0;
    let instances: f64 = usage
        .instance_seconds
        .iter()
        .map(|(kind, seconds)| seconds * if kind == config.fleet.instance_type.as_str() { member } else { builder })
        .sum();
    let standing = f64::from(config.fleet.size) * usage.duration.as_secs_f64() * member;
    let calls = |names: &[&str]| names.iter().filter_map(|name| usage.calls.get(*name)).sum::<u64>() as f64;
    let services = usage.transitions as f64 * TRANSITION
        + usage.invocations as f64 * INVOCATION
        + usage.function_seconds * FUNCTION_SECOND
        + calls(&["PutItem"]) * TABLE_WRITE
        // A transaction has three items, and DynamoDB charges two writes for each.
        + calls(&["TransactWriteItems"]) * 6.0 * TABLE_WRITE
        + calls(&["GetItem"]) * TABLE_READ;
    let dollars = (instances - standing).max(0.0) + services;
    (dollars * 10_000.0).round() / 10_000.0
}
