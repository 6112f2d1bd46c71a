//! Decides how large a fleet is to be, and which members leave when it becomes smaller.

use super::decision::{Action, Decision, Inputs, Limit, Reason};
use super::reading::{Reading, later};
use super::work::Work;
use super::{ScalingMember, SeenCpu, SizeOrder};
use crate::{Config, ImageId, Scaling, Span, Zone};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Members are removed only if the CPU then stays below this share of the target. Between 90 and 100 % of the target the size
/// stays, so that a load that swings by a tenth does not change it. Target tracking's alarm on a low CPU keeps the same distance
/// at 90 %, and 30 % on newer groups.
const IN_MARGIN: f64 = 0.9;

/// A member that is not in service this long after its launch is unhealthy.
const IN_SERVICE_WITHIN: Span = Span::minutes(15);

/// The rounding error of a sum of percents. No member is added because of it.
const ROUNDING: f64 = 1e-9;

/// Decides the size of the fleet.
///
/// Only `min`, `max` and the connection budget limit an operator's order. The decision makes the part of a due increase that
/// the limits allow, and refuses an increase of which they allow nothing. Where data is missing, the size stays, unless it is
/// outside `min` and `max`.
pub fn decide(reading: &Reading, config: &Config, now: Timestamp) -> Decision {
    let work = Work::of(reading, now);
    let inputs = inputs(reading, config, &work, now);
    let action = match (reading.order, &config.scaling) {
        (Some(order), scaling) => ordered(order, scaling.as_ref(), config, &inputs),
        (None, None) => Action::Hold { reason: Reason::NotConfigured },
        (None, Some(scaling)) => automatic(scaling, config, &inputs, &work, unhealthy(reading, now), now),
    };
    Decision { at: now, action, inputs }
}

fn inputs(reading: &Reading, config: &Config, work: &Work, now: Timestamp) -> Inputs {
    let warm_up = config.scaling.map_or(Span::seconds(0), |scaling| scaling.warm_up);
    let members = &reading.members;
    Inputs {
        size: count(members.iter()),
        in_service: count(members.iter().filter(|one| one.in_service.is_some_and(|since| since <= now))),
        warm: count(members.iter().filter(|one| one.is_warm(now, warm_up))),
        cpu: work.seen().to_vec(),
        last_out: reading.last_out,
        last_in: reading.last_in,
        others_may_add: reading.others_may_add,
        connections_allow: connections_allow(reading.others_may_add, config),
        order: reading.order,
        scaling: config.scaling,
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// The number of members that the database's connections allow, without those that other runs may add.
fn connections_allow(others: u32, config: &Config) -> u32 {
    let database = &config.database;
    // `Config::check` requires at least one connection for each member.
    (database.max_connections / database.connections_per_member.max(1)).saturating_sub(others)
}

/// The action for an operator's order.
fn ordered(order: SizeOrder, scaling: Option<&Scaling>, config: &Config, inputs: &Inputs) -> Action {
    let size = inputs.size;
    let wanted = match order {
        SizeOrder::To(to) => i64::from(to),
        SizeOrder::By(change) => i64::from(size) + i64::from(change),
    };
    let (min, max) = scaling.map_or((1, config.load_balancer.target_quota), |scaling| (scaling.min, scaling.max));
    let to = match u32::try_from(wanted) {
        Ok(to) if (min..=max).contains(&to) => to,
        _ => return Action::Refused { reason: Reason::OutOfBounds { order, wanted, min, max } },
    };
    let reason = Reason::Ordered { order };
    match to.cmp(&size) {
        std::cmp::Ordering::Equal => Action::Hold { reason: Reason::Enough { wanted: to } },
        std::cmp::Ordering::Less => Action::In { to, reason },
        std::cmp::Ordering::Greater if to > inputs.connections_allow => {
            Action::Refused { reason: connections(to, config, inputs) }
        }
        std::cmp::Ordering::Greater => Action::Out { to, reason },
    }
}

fn connections(wanted: u32, config: &Config, inputs: &Inputs) -> Reason {
    let (others, per_member) = (inputs.others_may_add, config.database.connections_per_member);
    Reason::Connections {
        size: inputs.size,
        wanted,
        others,
        per_member,
        needed: (u64::from(wanted) + u64::from(others)) * u64::from(per_member),
        available: config.database.max_connections,
    }
}

/// The number of members that had time to enter service but are not in service. They do no work.
fn unhealthy(reading: &Reading, now: Timestamp) -> u32 {
    count(
        reading.members.iter().filter(|one| one.in_service.is_none() && later(one.launched, IN_SERVICE_WITHIN) <= now),
    )
}

fn automatic(
    scaling: &Scaling,
    config: &Config,
    inputs: &Inputs,
    work: &Work,
    unhealthy: u32,
    now: Timestamp,
) -> Action {
    let size = inputs.size;
    if size > scaling.max {
        return Action::In { to: scaling.max, reason: Reason::AboveMax { size, max: scaling.max } };
    }
    if size < scaling.min {
        let min = scaling.min;
        return grow(min, Limit::None, config, inputs, |limit| Reason::BelowMin { size, min, limit });
    }
    let Some(lasting) = work.lasting(now) else { return Action::Hold { reason: Reason::NoData } };
    let wanted = members(lasting.work(), f64::from(scaling.target_cpu)).saturating_add(unhealthy);
    if wanted > size {
        return busy(wanted, lasting, scaling, config, inputs, now);
    }
    let Some(most) = work.most(now) else { return Action::Hold { reason: Reason::TooLittleData } };
    let wanted = members(most, IN_MARGIN * f64::from(scaling.target_cpu)).saturating_add(unhealthy);
    if wanted >= size {
        return Action::Hold { reason: Reason::Enough { wanted: size } };
    }
    idle(wanted, scaling, inputs, now)
}

/// The smallest number of members that bring this work to this CPU.
fn members(work: f64, cpu: f64) -> u32 {
    // The cast saturates.
    (work / cpu - ROUNDING).ceil() as u32
}

/// The action when the fleet needs more members than it has.
fn busy(wanted: u32, lasting: SeenCpu, scaling: &Scaling, config: &Config, inputs: &Inputs, now: Timestamp) -> Action {
    let size = inputs.size;
    if size == scaling.max {
        return Action::Hold { reason: Reason::AtMax { wanted, max: scaling.max } };
    }
    if let Some(until) = cooling(inputs.last_out, scaling.cooldown_out, now) {
        return Action::Hold { reason: Reason::CoolingDown { wanted, until } };
    }
    let (to, limit) = [(scaling.max, Limit::Max), (size.saturating_add(scaling.largest_step), Limit::LargestStep)]
        .into_iter()
        .fold((wanted, Limit::None), |(to, limit), (bound, by)| if bound < to { (bound, by) } else { (to, limit) });
    let SeenCpu { percent, in_service, .. } = lasting;
    grow(to, limit, config, inputs, |limit| Reason::Busy { percent, in_service, wanted, limit })
}

/// Grows the fleet as far as the database's connections allow.
fn grow(to: u32, limit: Limit, config: &Config, inputs: &Inputs, reason: impl Fn(Limit) -> Reason) -> Action {
    match inputs.connections_allow {
        allowed if to <= allowed => Action::Out { to, reason: reason(limit) },
        allowed if inputs.size < allowed => Action::Out { to: allowed, reason: reason(Limit::Connections) },
        _ => Action::Refused { reason: connections(to, config, inputs) },
    }
}

/// The action when the fleet needs fewer members than it has.
fn idle(wanted: u32, scaling: &Scaling, inputs: &Inputs, now: Timestamp) -> Action {
    let size = inputs.size;
    if size == scaling.min {
        return Action::Hold { reason: Reason::Enough { wanted: size } };
    }
    if inputs.warm < size {
        return Action::Hold { reason: Reason::WarmingUp { wanted, members: size - inputs.warm } };
    }
    if let Some(until) = cooling(inputs.last_out.max(inputs.last_in), scaling.cooldown_in, now) {
        return Action::Hold { reason: Reason::CoolingDown { wanted, until } };
    }
    let (to, limit) = [(scaling.min, Limit::Min), (size.saturating_sub(scaling.largest_step), Limit::LargestStep)]
        .into_iter()
        .fold((wanted, Limit::None), |(to, limit), (bound, by)| if bound > to { (bound, by) } else { (to, limit) });
    Action::In { to, reason: Reason::Idle { wanted, limit } }
}

/// The end of the cooldown, if it is after `now`.
fn cooling(last: Option<Timestamp>, cooldown: Span, now: Timestamp) -> Option<Timestamp> {
    last.map(|last| later(last, cooldown)).filter(|until| *until > now)
}

/// Chooses the `k` members that leave when a fleet becomes smaller, or all members if there are at most `k`.
///
/// Members that are not in service leave first, then members of an image other than the golden one. After those, members
/// leave from the zone with the most members, the oldest first. The answer is in this order.
pub fn leaving<'a>(members: &'a [ScalingMember], golden: Option<&ImageId>, k: u32) -> Vec<&'a ScalingMember> {
    let mut staying: Vec<&ScalingMember> = members.iter().collect();
    let mut in_zone: BTreeMap<&Zone, u32> = BTreeMap::new();
    for one in &staying {
        *in_zone.entry(&one.member.zone).or_default() += 1;
    }
    let mut gone = Vec::new();
    for _ in 0..k {
        let next = staying.iter().enumerate().min_by_key(|(_, one)| {
            let fullest_zone = std::cmp::Reverse(in_zone.get(&one.member.zone));
            (one.in_service.is_some(), Some(&one.member.image) == golden, fullest_zone, one.launched, &one.member.id)
        });
        let Some((place, _)) = next else { break };
        let one = staying.swap_remove(place);
        in_zone.entry(&one.member.zone).and_modify(|members| *members -= 1);
        gone.push(one);
    }
    gone
}
