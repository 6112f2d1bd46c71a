//! Whether an upgrade may begin on a fleet as it was found. The plan that an operator reads and the step that begins
//! decide by the same function, so that a plan does not promise what the run then refuses.

use crate::{
    Before, Config, FLEET_TAG, Fingerprint, FleetRecord, Health, Member, Observed, Refusal, Tagged, Version,
    check_connections, check_targets,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What an upgrade starts from, if it may begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// What was before.
    pub before: Before,
    /// How many members there are, and are to be.
    pub size: u32,
    /// What tells this start from any other: configuration, members, image and hops.
    pub fingerprint: Fingerprint,
}

/// Admits an upgrade through `hops` of the fleet that was found.
///
/// # Errors
/// The first reason not to begin.
pub fn admit(record: &FleetRecord, observed: &Observed, hops: &[Version]) -> Result<Admission, Refusal> {
    let config = &record.config;
    let tag = || config.fleet.load_balancer_tag.to_string();
    if let Some(why) = &observed.out_of_reach {
        return Err(Refusal::OutOfReach { why: why.clone() });
    }
    if let Some(foreign) = observed.foreign(record.name().as_str()).next() {
        return Err(foreign_member(config, foreign));
    }
    if !observed.tagged.iter().any(|member| member.running) {
        return Err(Refusal::EmptyFleet { tag: tag() });
    }
    if let Some(stranger) = observed.strangers.first() {
        return Err(Refusal::Stranger { instance: stranger.clone(), tag: tag() });
    }
    if let Some(member) = observed.tagged.iter().find(|member| member.health != Health::Healthy) {
        let health = match &member.health {
            Health::Out => "not registered with the target group".to_owned(),
            health => health.to_string(),
        };
        return Err(Refusal::NotInService { instance: member.id.clone(), health });
    }
    if let Some(alarm) = &observed.alarm {
        return Err(Refusal::Alarm { alarm: alarm.name.clone(), problem: alarm.problem.clone() });
    }
    if let Some(problem) = &observed.golden_problem {
        return Err(Refusal::GoldenImage { image: record.golden.image.clone(), problem: problem.clone() });
    }
    let size = u32::try_from(observed.tagged.len()).unwrap_or(u32::MAX);
    check_connections(size, &config.database)?;
    check_targets(size, config.load_balancer.target_quota)?;
    let members = observed.tagged.iter().map(|member| Member {
        id: member.id.clone(),
        image: member.image.clone(),
        zone: member.zone.clone(),
    });
    let before = Before { members: members.collect(), golden: record.golden.clone(), drain: observed.drain };
    let fingerprint = fingerprint(config, &before, hops);
    Ok(Admission { before, size, fingerprint })
}

fn foreign_member(config: &Config, foreign: &Tagged) -> Refusal {
    Refusal::ForeignMember {
        tag: config.fleet.load_balancer_tag.to_string(),
        instance: foreign.id.clone(),
        owner: match &foreign.fleet {
            None => "belongs to no fleet".to_owned(),
            Some(owner) => format!("belongs to fleet {owner}"),
        },
        fleet: config.fleet.name.clone(),
        fleet_tag: FLEET_TAG,
    }
}

fn fingerprint(config: &Config, before: &Before, hops: &[Version]) -> Fingerprint {
    #[derive(Serialize)]
    struct Start<'a> {
        config: &'a Config,
        before: &'a Before,
        hops: &'a [Version],
    }
    // Plain structs of texts and numbers always have a JSON; an empty one would only fail to match.
    let start = serde_json::to_vec(&Start { config, before, hops }).unwrap_or_default();
    Fingerprint::of(Sha256::digest(start).into())
}
