//! The simulated world before a run, as a configuration describes it.

use fleet::{AnyTag, Config, DATA_TAG, DataSource, FLEET_TAG, FleetConfig, RUN_TAG, VERSION_TAG, alarm_name};
use jiff::Timestamp;
use simulator::world::{AlarmThreshold, CpuAlarm, Data, ForeignInstances, Latencies, Subnet, Tag, World};
use std::collections::BTreeMap;

/// When every rehearsal begins: Sunday, 4 January 2026, 03:00 UTC.
pub const START: Timestamp = Timestamp::constant(1_767_495_600, 0);

/// The image that the members are clones of: the golden image, or for a fleet without one an image that stands for what the
/// members were set up on.
pub(super) fn base_image(fleet: &FleetConfig) -> String {
    fleet.golden_image.as_ref().map_or_else(|| "ami-00000000000000001".to_owned(), ToString::to_string)
}

/// The number of instances for each tag of `rehearsal.others`.
const OTHERS: u32 = 2;

/// The world before the first step, as a configuration describes it.
pub fn world(config: &Config) -> World {
    let fleet = &config.fleet;
    let rehearsal = &config.rehearsal;
    let mut arn = config.load_balancer.target_group.as_str().split(':').skip(4);
    World {
        seed: rehearsal.seed,
        start: START.into(),
        region: fleet.subnets.first().map(|subnet| subnet.zone.region().to_owned()).unwrap_or_default(),
        account: arn.next().unwrap_or_default().to_owned(),
        fleet_tag: tag(FLEET_TAG, fleet.name.as_str()),
        load_balancer_tag: named(&fleet.load_balancer_tag),
        run_tag_key: RUN_TAG.to_owned(),
        version_tag_key: VERSION_TAG.to_owned(),
        golden_image: base_image(fleet),
        version: fleet.version.to_string(),
        image_name: format!("{}-{}", fleet.name, fleet.version),
        members: fleet.size,
        member_type: fleet.instance_type.to_string(),
        subnets: fleet
            .subnets
            .iter()
            .map(|subnet| Subnet { id: subnet.id.to_string(), zone: subnet.zone.to_string() })
            .collect(),
        security_groups: fleet.security_groups.iter().map(ToString::to_string).collect(),
        instance_profile: Some(fleet.instance_profile.clone()),
        target_group: config.load_balancer.target_group.to_string(),
        target_port: 80,
        deregistration_delay: rehearsal.deregistration_delay.into(),
        health_check_interval: rehearsal.health_check_interval.into(),
        healthy_threshold: 5,
        unhealthy_threshold: 2,
        target_quota: config.load_balancer.target_quota,
        vcpu_quota: rehearsal.vcpu_quota,
        data: config.backup.as_ref().map(data),
        data_tags: BTreeMap::from([(DATA_TAG.to_owned(), fleet.name.to_string())]),
        foreign_instances: rehearsal.others.iter().map(foreign_instances).collect(),
        alarms: config.upgrade.alarms.clone(),
        cpu_alarms: cpu_alarms(config),
        work: Vec::new(),
        configure_document: config.upgrade.configure_document.clone(),
        requests_per_second: rehearsal.requests_per_second,
        table: crate::TABLE.to_owned(),
        latencies: Latencies::default(),
    }
}

/// The CPU alarms that start a scale-out or a scale-in.
fn cpu_alarms(config: &Config) -> Vec<CpuAlarm> {
    let thresholds = config.scaling.map(|scaling| scaling.thresholds());
    let alarms = thresholds.into_iter().flatten().map(|threshold| CpuAlarm {
        name: alarm_name(&config.fleet.name, threshold.kind),
        threshold: match threshold.kind {
            fleet::AlarmKind::Busy => AlarmThreshold::Above(threshold.percent),
            fleet::AlarmKind::Idle => AlarmThreshold::Below(threshold.percent),
        },
        minutes: threshold.minutes,
    });
    alarms.collect()
}

fn data(source: &DataSource) -> Data {
    match source {
        DataSource::DataServer(id) => Data::Server { id: id.to_string() },
        DataSource::DbInstance(id) => Data::Db { id: id.to_string() },
    }
}

/// Instances of another fleet in the account, which is called after its tag.
fn foreign_instances(others: &AnyTag) -> ForeignInstances {
    ForeignInstances {
        count: OTHERS,
        tags: vec![named(others), tag(FLEET_TAG, &format!("{}-of-others", others.value))],
    }
}

fn named(tag: &AnyTag) -> Tag {
    Tag { key: tag.key.clone(), value: tag.value.clone() }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}
