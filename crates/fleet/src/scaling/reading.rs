//! The reading of a fleet, from which a decision is made.

use crate::{InstanceId, Member, Span};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was observed of a fleet, and the operator's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The members that are running or being launched, in any order. Members that are leaving are not included.
    pub members: Vec<ScalingMember>,
    /// The fleet's CPU, in any order; see [`fleet_cpu`]. A missing minute is unknown.
    pub cpu: Vec<CpuPoint>,
    /// When added members were last all in service.
    pub last_out: Option<Timestamp>,
    /// When removed members were last all terminated.
    pub last_in: Option<Timestamp>,
    /// The number of members and builders that other runs may add, such as those of an upgrade.
    pub others_may_add: u32,
    /// The operator's order, if there is one.
    pub order: Option<SizeOrder>,
}

/// A member, with the times that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingMember {
    /// The member.
    pub member: Member,
    /// When it was launched.
    pub launched: Timestamp,
    /// When it entered service, if it is in service.
    pub in_service: Option<Timestamp>,
}

/// The CPU of one minute: the average over the members in service that are warm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CpuPoint {
    /// The start of the minute, as CloudWatch reports it.
    pub at: Timestamp,
    /// The CPU in percent. A negative value, or one that is not a number, counts as missing.
    pub percent: f64,
}

/// An operator's order for a fleet's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeOrder {
    /// This number of members.
    To(u32),
    /// This number of members more, or fewer if negative.
    By(i32),
}

impl ScalingMember {
    pub(super) fn is_warm(&self, at: Timestamp, warm_up: Span) -> bool {
        self.in_service.is_some_and(|since| later(since, warm_up) <= at)
    }
}

/// The fleet's CPU from the data points of each instance: for each minute, the average of the members that were warm when the
/// minute began. Instances that are not among `members` do not count.
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

/// The time `by` after `at`, at most the end of the calendar.
pub(super) fn later(at: Timestamp, by: Span) -> Timestamp {
    at.checked_add(SignedDuration::from(by)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleets_cpu_is_the_average_of_its_warm_members() {
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
