//! What a decision is made from.

use crate::{InstanceId, Member, Span};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was observed of a fleet, and what a person wants.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The members that stand or are being launched, in any order. Whoever is on the way out is not among them.
    pub members: Vec<ScalingMember>,
    /// The fleet's CPU, in any order; see [`fleet_cpu`]. A minute that is missing is unknown.
    pub cpu: Vec<CpuPoint>,
    /// When members were last added and in service.
    pub last_out: Option<Timestamp>,
    /// When members were last taken out and gone.
    pub last_in: Option<Timestamp>,
    /// Members and builders that other runs may add: an upgrade's overlap.
    pub others_may_add: u32,
    /// What a person wants, if this is decided for one.
    pub order: Option<SizeOrder>,
}

/// A member as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingMember {
    /// Who it is.
    pub member: Member,
    /// When it was launched.
    pub launched: Timestamp,
    /// Since when it has been in service, if it is.
    pub in_service: Option<Timestamp>,
}

/// The CPU of one minute: the average over the members in service that are warm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CpuPoint {
    /// When the minute begins, as CloudWatch says it.
    pub at: Timestamp,
    /// The CPU in percent. What is no number from 0 on counts as missing.
    pub percent: f64,
}

/// What a person wants a fleet's size to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeOrder {
    /// So many members.
    To(u32),
    /// So many members more, or fewer.
    By(i32),
}

impl ScalingMember {
    pub(super) fn is_warm(&self, at: Timestamp, warm_up: Span) -> bool {
        self.in_service.is_some_and(|since| later(since, warm_up) <= at)
    }
}

/// The fleet's CPU from each member's own points, as a metric has them by instance: for each minute the average over the
/// members that were warm when it began. Whoever is not among `members` does not count.
pub fn fleet_cpu(
    members: &[ScalingMember],
    points: &BTreeMap<InstanceId, Vec<CpuPoint>>,
    warm_up: Span,
) -> Vec<CpuPoint> {
    let mut minutes: BTreeMap<Timestamp, (f64, f64)> = BTreeMap::new();
    let of_members = members.iter().filter_map(|one| Some((one, points.get(&one.member.id)?)));
    for (one, point) in of_members.flat_map(|(one, points)| points.iter().map(move |point| (one, point))) {
        if one.is_warm(point.at, warm_up) && is_percent(point.percent) {
            let (sum, count) = minutes.entry(point.at).or_default();
            *sum += point.percent;
            *count += 1.0;
        }
    }
    minutes.into_iter().map(|(at, (sum, count))| CpuPoint { at, percent: sum / count }).collect()
}

pub(super) fn is_percent(percent: f64) -> bool {
    percent.is_finite() && percent >= 0.0
}

/// So much later, at most at the end of the calendar.
pub(super) fn later(at: Timestamp, by: Span) -> Timestamp {
    at.checked_add(SignedDuration::from(by)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleets_cpu_is_the_average_over_warm_members_alone() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let standing = |id: &str, in_service: i64| ScalingMember {
            member: Member {
                id: id.parse().unwrap(),
                image: "ami-00000001".parse().unwrap(),
                zone: "eu-central-1a".parse().unwrap(),
                serves: true,
            },
            launched: at(0),
            in_service: Some(at(in_service)),
        };
        let members = [standing("i-00000001", 0), standing("i-00000002", 0), standing("i-00000003", 60)];
        let points = |percents: [f64; 2]| {
            let [first, second] = percents;
            vec![CpuPoint { at: at(60), percent: first }, CpuPoint { at: at(120), percent: second }]
        };
        let by_member = [
            ("i-00000001", points([10.0, 20.0])),
            ("i-00000002", points([30.0, f64::NAN])),
            ("i-00000003", points([99.0, 40.0])),
            ("i-00000009", points([99.0, 99.0])),
        ];
        let by_member = by_member.into_iter().map(|(id, points)| (id.parse().unwrap(), points)).collect();
        let expected = [CpuPoint { at: at(60), percent: 20.0 }, CpuPoint { at: at(120), percent: 30.0 }];
        assert_eq!(fleet_cpu(&members, &by_member, Span::minutes(1)), expected);
    }
}
