//! Makes the targets follow the load-balancer tag: registers running members that carry the tag, and deregisters members
//! that no longer carry it, which then drain.
//!
//! A `Tag Change on Resource` event invokes the step, and so does a schedule every few minutes. Events are best effort and
//! arrive in any order, so an event only triggers the step, and the current tags decide.
//!
//! The step deregisters no member if no healthy member carries the tag. It skips a fleet whose lock a run holds. It writes the
//! fleet's record before it changes targets, so a run that read the record earlier cannot begin.
//!
//! Undone by changing the tag back. Repeating the step finds nothing to do.

use crate::aws::{Aws, InstanceState};
use crate::{StepError, Versioned};
use fleet::{FLEET_TAG, FleetName, FleetRecord, Health, InstanceId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An invocation by hand names a fleet. The schedule names none, which means all fleets of the stack.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Input {
    fleet: Option<FleetName>,
    /// From an event of EventBridge. <https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html>
    detail: Option<TagChange>,
    // The other fields of an event, which the step ignores.
    #[serde(rename = "version")]
    _version: IgnoredAny,
    #[serde(rename = "id")]
    _id: IgnoredAny,
    #[serde(rename = "detail-type")]
    _detail_type: IgnoredAny,
    #[serde(rename = "source")]
    _source: IgnoredAny,
    #[serde(rename = "account")]
    _account: IgnoredAny,
    #[serde(rename = "time")]
    _time: IgnoredAny,
    #[serde(rename = "region")]
    _region: IgnoredAny,
    #[serde(rename = "resources")]
    _resources: IgnoredAny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TagChange {
    /// The resource's tags after the change, by key.
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {
    fleets: Vec<Synced>,
}

/// What the step did for a fleet.
#[derive(Debug, Serialize)]
struct Synced {
    fleet: FleetName,
    registered: Vec<InstanceId>,
    deregistered: Vec<InstanceId>,
    /// Why the step deregistered nothing, or changed nothing, if there is a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_alone: Option<String>,
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let named = match (input.fleet, &input.detail) {
        (Some(fleet), _) => vec![fleet],
        // An instance that also lost the fleet tag is left to the schedule.
        (None, Some(change)) => change.tags.get(FLEET_TAG).and_then(|fleet| fleet.parse().ok()).into_iter().collect(),
        (None, None) => aws.scope().map(|scope| scope.fleets()).unwrap_or_default(),
    };
    let mut fleets = Vec::new();
    for fleet in named {
        // No configuration has been applied for it yet.
        let Some(record) = aws.ledger().fleet(&fleet).await? else { continue };
        fleets.push(sync(aws, fleet, record).await?);
    }
    Ok(Output { fleets })
}

async fn sync(aws: &Aws, fleet: FleetName, mut record: Versioned<FleetRecord>) -> Result<Synced, StepError> {
    let skipped = |why: String| Synced {
        fleet: fleet.clone(),
        registered: Vec::new(),
        deregistered: Vec::new(),
        left_alone: Some(why),
    };
    if let Some(why) = aws.scope().and_then(|scope| scope.refuses(&record.record.config)) {
        return Ok(skipped(why));
    }
    if let Some(run) = record.record.held_by() {
        return Ok(skipped(format!("run {run} holds the lock")));
    }
    let (tag, group) = {
        let config = &record.record.config;
        (config.fleet.load_balancer_tag.clone(), config.load_balancer.target_group.clone())
    };
    let mut members = aws.instances_of_fleet(&fleet).await?;
    members.retain(|member| member.state == InstanceState::Running);
    let health = aws.health_of_all(&group).await?;
    let differ = |tagged: bool| {
        let differ =
            members.iter().filter(|one| one.carries(&tag) == tagged && health.is_registered(&one.id) != tagged);
        differ.map(|one| one.id.clone()).collect::<Vec<_>>()
    };
    let (registered, deregistered) = (differ(true), differ(false));
    let in_service = members.iter().any(|one| one.carries(&tag) && *health.of(&one.id) == Health::Healthy);
    if !deregistered.is_empty() && !in_service {
        // A mistyped tag, or one removed from all members, must not take the fleet out of service.
        let why = format!("no healthy member carries {tag}, so no member is deregistered");
        aws.register(&group, &registered.iter().collect::<Vec<_>>()).await?;
        return Ok(Synced { registered, ..skipped(why) });
    }
    if !registered.is_empty() || !deregistered.is_empty() {
        // Unchanged, but with a new version: a run that read the record earlier and is about to take the lock must retry.
        aws.ledger().write(&mut record).await?;
        aws.register(&group, &registered.iter().collect::<Vec<_>>()).await?;
        aws.deregister(&group, &deregistered.iter().collect::<Vec<_>>()).await?;
        tracing::info!(%fleet, ?registered, ?deregistered, "targets follow the tag");
    }
    Ok(Synced { fleet, registered, deregistered, left_alone: None })
}
