//! Decides whether a run may begin on a fleet as it was observed.
//!
//! The command that prints a plan and the step that begins a run call the same function. A plan therefore does not promise
//! what the run then refuses.

use crate::{
    Before, Config, FLEET_TAG, Fingerprint, FleetRecord, Health, InstanceId, Inventory, Member, Observed, Order,
    Refusal, Restoration, Tagged, Version, check_connections, check_targets,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The start of a run that may begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// The fleet before the run's first change.
    pub before: Before,
    /// The version that the members run.
    pub version: Version,
    /// How many members the run creates. In a scale-in, how many it removes.
    pub size: u32,
    /// The source member of a golden-image run.
    pub source: Option<Member>,
    /// Identifies this start: a hash of the configuration, the members, the image, the hops, and what a restore would change.
    pub fingerprint: Fingerprint,
}

/// Admits a run for `order` on the observed fleet.
///
/// A revert leaves members that may be faulty, so neither unhealthy members nor raised alarms stop it. A restore starts from
/// the inventory. A scaling run does not check connections, because its decision has done so.
///
/// # Errors
/// The first reason not to begin the run.
pub fn admit(record: &FleetRecord, observed: &Observed, order: &Order) -> Result<Admission, Refusal> {
    let config = &record.config;
    if let Some(why) = &observed.out_of_scope {
        return Err(Refusal::OutOfScope { why: why.clone() });
    }
    let (mut restored, mut source) = (None, None);
    let members = match order {
        Order::Upgrade(_) => {
            check_members(record, observed)?;
            check_members_in_service(observed)?;
            check_image(record, observed, order)?;
            tagged(observed)
        }
        Order::Revert(_) => {
            check_members(record, observed)?;
            check_image(record, observed, order)?;
            tagged(observed)
        }
        Order::Restore => {
            let restoration = Restoration::of(record, observed.inventory.as_ref().unwrap_or(&Inventory::default()));
            if restoration.is_empty() {
                return Err(Refusal::NothingToRepair { fleet: record.name().clone() });
            }
            restored.insert(restoration).members.clone()
        }
        Order::ScaleOut(_) => {
            check_image(record, observed, order)?;
            tagged(observed)
        }
        Order::ScaleIn(leaving) => tagged(observed).into_iter().filter(|member| leaving.contains(&member.id)).collect(),
        Order::GoldenImage { of, downtime } => {
            check_members(record, observed)?;
            check_alarm(observed)?;
            source = Some(choose_source(record, observed, of.as_ref(), *downtime)?);
            tagged(observed)
        }
    };
    if members.is_empty() && !matches!(order, Order::ScaleOut(_)) {
        return Err(empty(config));
    }
    let there = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let quota = config.load_balancer.target_quota;
    let size = match order {
        Order::Upgrade(_) | Order::Revert(_) => {
            check_connections(there, &config.database)?;
            check_targets(there, quota)?;
            there
        }
        Order::Restore | Order::ScaleIn(_) => there,
        Order::GoldenImage { .. } => 0,
        Order::ScaleOut(more) => {
            let needed = there.saturating_add(*more);
            if needed > quota {
                return Err(Refusal::TargetsToScale { members: needed, quota });
            }
            *more
        }
    };
    let before = Before { members, golden: record.golden.clone(), drain: observed.drain };
    let hops = if let Order::Upgrade(hops) = order { hops } else { &[][..] };
    let fingerprint = fingerprint(config, &before, hops, restored.as_ref());
    Ok(Admission { before, version: record.version(), size, source, fingerprint })
}

/// Checks that all instances with the load-balancer tag, and no other targets, belong to the fleet.
fn check_members(record: &FleetRecord, observed: &Observed) -> Result<(), Refusal> {
    let config = &record.config;
    if let Some(foreign) = observed.foreign(record.name().as_str()).next() {
        return Err(foreign_instance(config, foreign));
    }
    if !observed.tagged.iter().any(|member| member.running) {
        return Err(empty(config));
    }
    if let Some(untagged) = observed.untagged_targets.first() {
        let tag = config.fleet.load_balancer_tag.to_string();
        return Err(Refusal::UntaggedTarget { instance: untagged.clone(), tag });
    }
    Ok(())
}

/// Checks the image that the run clones its members or its builder from.
fn check_image(record: &FleetRecord, observed: &Observed, order: &Order) -> Result<(), Refusal> {
    let image = if let Order::Revert(target) = order { &target.image } else { &record.to_be_cloned()?.image };
    match &observed.image_problem {
        Some(problem) => Err(Refusal::GoldenImage { image: image.clone(), problem: problem.clone() }),
        None => Ok(()),
    }
}

/// Checks that all members are in service and that no watched alarm is raised.
fn check_members_in_service(observed: &Observed) -> Result<(), Refusal> {
    if let Some(member) = observed.tagged.iter().find(|member| member.health != Health::Healthy) {
        return Err(not_in_service(member));
    }
    check_alarm(observed)
}

fn check_alarm(observed: &Observed) -> Result<(), Refusal> {
    match &observed.alarm {
        Some(alarm) => Err(Refusal::Alarm { alarm: alarm.name.clone(), problem: alarm.problem.clone() }),
        None => Ok(()),
    }
}

/// Chooses the source member. It must be in service, and another member must be in service too unless `downtime` is set.
fn choose_source(
    record: &FleetRecord,
    observed: &Observed,
    named: Option<&InstanceId>,
    downtime: bool,
) -> Result<Member, Refusal> {
    let serves = |member: &&Tagged| member.health == Health::Healthy;
    // The version of another image is not known, nor whether the image is in quarantine.
    let alike = |member: &&Tagged| record.golden.as_ref().is_none_or(|golden| golden.has_member_of(&member.image));
    let member = match named {
        Some(id) => observed
            .tagged
            .iter()
            .find(|member| member.id == *id)
            .ok_or_else(|| Refusal::NoMember { instance: id.clone(), fleet: record.name().clone() })?,
        None => {
            let fitting = observed.tagged.iter().filter(alike).find(serves);
            fitting.or_else(|| observed.tagged.first()).ok_or_else(|| empty(&record.config))?
        }
    };
    if let Some(golden) = record.golden.as_ref().filter(|_| !alike(&member)) {
        return Err(Refusal::AnotherImage { instance: member.id.clone(), golden: golden.image.clone() });
    }
    if !serves(&member) {
        return Err(not_in_service(member));
    }
    if !downtime && observed.tagged.iter().filter(serves).count() < 2 {
        return Err(Refusal::SoleMember { instance: member.id.clone() });
    }
    Ok(as_member(member))
}

fn tagged(observed: &Observed) -> Vec<Member> {
    observed.tagged.iter().map(as_member).collect()
}

fn as_member(tagged: &Tagged) -> Member {
    Member {
        id: tagged.id.clone(),
        image: tagged.image.clone(),
        zone: tagged.zone.clone(),
        serves: tagged.health == Health::Healthy,
    }
}

fn not_in_service(member: &Tagged) -> Refusal {
    let health = match &member.health {
        Health::Out => "not registered with the target group".to_owned(),
        health => health.to_string(),
    };
    Refusal::NotInService { instance: member.id.clone(), health }
}

fn empty(config: &Config) -> Refusal {
    Refusal::EmptyFleet { tag: config.fleet.load_balancer_tag.to_string() }
}

fn foreign_instance(config: &Config, foreign: &Tagged) -> Refusal {
    Refusal::ForeignInstance {
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

fn fingerprint(config: &Config, before: &Before, hops: &[Version], restored: Option<&Restoration>) -> Fingerprint {
    #[derive(Serialize)]
    struct Start<'a> {
        config: &'a Config,
        before: &'a Before,
        hops: &'a [Version],
        restored: Option<&'a Restoration>,
    }
    // Plain structs of texts and numbers always serialize. An empty text would match no plan.
    let start = serde_json::to_vec(&Start { config, before, hops, restored }).unwrap_or_default();
    Fingerprint::of(Sha256::digest(start).into())
}
