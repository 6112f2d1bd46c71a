//! Makes the load balancer balance by tag: a running member that carries the load-balancer tag is registered, one that
//! carries it no longer is deregistered and drains.
//!
//! A `Tag Change on Resource` event asks, and a schedule every few minutes. Events are best effort and come in any order, so
//! none is believed: each is only a reason to look, and what is there now decides. It takes nobody out if no healthy member
//! carries the tag. It leaves a fleet alone that a run holds,
//! and writes the fleet's record before it changes anything, so that a run that has looked before that does not begin.
//! Undone by the tag. Asked again, it finds nothing to do.

use crate::aws::{Aws, InstanceState};
use crate::{Read, StepError};
use fleet::{FLEET_TAG, FleetName, FleetRecord, Health, InstanceId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whoever asks; the schedule names no fleet, and means all of the stack's.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Input {
    fleet: Option<FleetName>,
    /// Of EventBridge's event. <https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html>
    detail: Option<TagChange>,
    // What else is in an event; nothing of it matters.
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

/// What was done about a fleet.
#[derive(Debug, Serialize)]
struct Synced {
    fleet: FleetName,
    registered: Vec<InstanceId>,
    deregistered: Vec<InstanceId>,
    /// Why it was left alone, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_alone: Option<String>,
}

pub(crate) async fn run(aws: &Aws, input: Input) -> Result<Output, StepError> {
    let named = match (input.fleet, &input.detail) {
        (Some(fleet), _) => vec![fleet],
        // What has lost the fleet's tag too is left to the schedule.
        (None, Some(change)) => change.tags.get(FLEET_TAG).and_then(|fleet| fleet.parse().ok()).into_iter().collect(),
        (None, None) => aws.reach().map(|reach| reach.fleets()).unwrap_or_default(),
    };
    let mut fleets = Vec::new();
    for fleet in named {
        // Nobody has applied a configuration of it yet.
        let Some(record) = aws.ledger().fleet(&fleet).await? else { continue };
        fleets.push(sync(aws, fleet, record).await?);
    }
    Ok(Output { fleets })
}

async fn sync(aws: &Aws, fleet: FleetName, mut record: Read<FleetRecord>) -> Result<Synced, StepError> {
    let alone = |why: String| Synced {
        fleet: fleet.clone(),
        registered: Vec::new(),
        deregistered: Vec::new(),
        left_alone: Some(why),
    };
    if let Some(why) = aws.reach().and_then(|reach| reach.refuses(&record.record.config)) {
        return Ok(alone(why));
    }
    if let Some(run) = record.record.held_by() {
        return Ok(alone(format!("run {run} holds it")));
    }
    let (tag, group) = {
        let config = &record.record.config;
        (config.fleet.load_balancer_tag.clone(), config.load_balancer.target_group.clone())
    };
    let mut members = aws.instances_of_fleet(&fleet).await?;
    members.retain(|member| member.state == InstanceState::Running);
    let health = aws.health_of_all(&group).await?;
    let differ = |tagged: bool| {
        let differ = members.iter().filter(|one| one.carries(&tag) == tagged && health.is_in(&one.id) != tagged);
        differ.map(|one| one.id.clone()).collect::<Vec<_>>()
    };
    let (registered, deregistered) = (differ(true), differ(false));
    let stays = members.iter().any(|one| one.carries(&tag) && *health.of(&one.id) == Health::Healthy);
    if !deregistered.is_empty() && !stays {
        // A tag that was mistyped, or taken off them all: that is no reason to be out of service.
        let why = format!("no healthy member carries {tag}, so nobody is taken out");
        aws.register(&group, &registered.iter().collect::<Vec<_>>()).await?;
        return Ok(Synced { registered, ..alone(why) });
    }
    if !registered.is_empty() || !deregistered.is_empty() {
        // As it is: who read it before and is about to take the lock has to look again.
        aws.ledger().write(&mut record).await?;
        aws.register(&group, &registered.iter().collect::<Vec<_>>()).await?;
        aws.deregister(&group, &deregistered.iter().collect::<Vec<_>>()).await?;
        tracing::info!(%fleet, ?registered, ?deregistered, "targets follow the tag");
    }
    Ok(Synced { fleet, registered, deregistered, left_alone: None })
}
