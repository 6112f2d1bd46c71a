//! Targets: which instances are registered with the target group, and their health.

use super::{Aws, CallError, Named};
use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthStateEnum};
use fleet::{Health, InstanceId, Span, TargetGroupArn};
use std::collections::BTreeMap;

/// The number of targets in one call. A thousand members need five calls.
const BATCH: usize = 200;
/// The largest number of targets that a call names; for more, the call reads all targets.
const BY_NAME: usize = 20;

/// The health of targets, as one call returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth(BTreeMap<InstanceId, Health>);

impl TargetHealth {
    /// The health of `id`; [`Health::Out`] if it is not registered.
    pub fn of(&self, id: &InstanceId) -> &Health {
        self.0.get(id).unwrap_or(&Health::Out)
    }

    /// The first of `ids` that is not healthy, its health, and how many are not healthy.
    pub fn first_not_healthy<'a>(&self, ids: &[&'a InstanceId]) -> Option<(&'a InstanceId, &Health, usize)> {
        let mut unhealthy = ids.iter().filter(|id| *self.of(id) != Health::Healthy);
        let first = unhealthy.next()?;
        Some((first, self.of(first), 1 + unhealthy.count()))
    }

    /// All targets that are registered and not draining, in order of id.
    pub fn registered(&self) -> impl Iterator<Item = &InstanceId> {
        self.0.keys().filter(|id| self.is_registered(id))
    }

    /// Whether `id` is registered and not draining.
    pub fn is_registered(&self, id: &InstanceId) -> bool {
        !matches!(self.of(id), Health::Out | Health::Draining)
    }
}

impl Aws {
    /// The health of `ids` in the target group.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn target_health(&self, group: &TargetGroupArn, ids: &[&InstanceId]) -> Result<TargetHealth, CallError> {
        if ids.is_empty() {
            // A call without names would read all targets.
            return Ok(TargetHealth(BTreeMap::new()));
        }
        self.health(group, (ids.len() <= BY_NAME).then(|| targets(ids))).await
    }

    /// The health of all targets of the target group.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn health_of_all(&self, group: &TargetGroupArn) -> Result<TargetHealth, CallError> {
        self.health(group, None).await
    }

    async fn health(
        &self,
        group: &TargetGroupArn,
        named: Option<Vec<TargetDescription>>,
    ) -> Result<TargetHealth, CallError> {
        let call = self.load_balancing.describe_target_health().target_group_arn(group.as_str()).set_targets(named);
        let answer = call.send().await.of("DescribeTargetHealth")?;
        let entries = answer.target_health_descriptions().iter().filter_map(|described| {
            let id: InstanceId = described.target()?.id()?.parse().ok()?;
            let health = described.target_health()?;
            let health = match health.state()? {
                TargetHealthStateEnum::Initial => Health::Initial,
                TargetHealthStateEnum::Healthy => Health::Healthy,
                TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining => Health::Draining,
                TargetHealthStateEnum::Unused => Health::Out,
                _ => Health::Unhealthy(health.description().unwrap_or("no reason given").to_owned()),
            };
            Some((id, health))
        });
        Ok(TargetHealth(entries.collect()))
    }

    /// Registers instances with the target group. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn register(&self, group: &TargetGroupArn, ids: &[&InstanceId]) -> Result<(), CallError> {
        for batch in ids.chunks(BATCH) {
            let call = self.load_balancing.register_targets().target_group_arn(group.as_str());
            call.set_targets(Some(targets(batch))).send().await.of("RegisterTargets")?;
        }
        Ok(())
    }

    /// Deregisters instances from the target group; they drain first. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn deregister(&self, group: &TargetGroupArn, ids: &[&InstanceId]) -> Result<(), CallError> {
        for batch in ids.chunks(BATCH) {
            let call = self.load_balancing.deregister_targets().target_group_arn(group.as_str());
            call.set_targets(Some(targets(batch))).send().await.of("DeregisterTargets")?;
        }
        Ok(())
    }

    /// The application load balancers that send requests to a target group, in the form of CloudWatch: `app/NAME/ID`.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn load_balancers(&self, group: &TargetGroupArn) -> Result<Vec<String>, CallError> {
        let call = self.load_balancing.describe_target_groups().target_group_arns(group.as_str());
        let answer = call.send().await.of("DescribeTargetGroups")?;
        let arns = answer.target_groups().iter().flat_map(|group| group.load_balancer_arns());
        let names = arns.filter_map(|arn| arn.split_once(":loadbalancer/").map(|(_, name)| name.to_owned()));
        Ok(names.filter(|name| name.starts_with("app/")).collect())
    }

    /// How long a deregistered target drains.
    ///
    /// # Errors
    /// Any error of Elastic Load Balancing.
    pub async fn deregistration_delay(&self, group: &TargetGroupArn) -> Result<Span, CallError> {
        let call = self.load_balancing.describe_target_group_attributes().target_group_arn(group.as_str());
        let answer = call.send().await.of("DescribeTargetGroupAttributes")?;
        let delay = answer
            .attributes()
            .iter()
            .find(|attribute| attribute.key() == Some("deregistration_delay.timeout_seconds"));
        // The default of AWS, for an emulator that leaves the attribute out.
        const DEFAULT: Span = Span::seconds(300);
        Ok(delay.and_then(|delay| delay.value()?.parse().ok()).map_or(DEFAULT, Span::seconds))
    }
}

fn targets(ids: &[&InstanceId]) -> Vec<TargetDescription> {
    ids.iter().map(|id| TargetDescription::builder().id(id.as_str()).build()).collect()
}
