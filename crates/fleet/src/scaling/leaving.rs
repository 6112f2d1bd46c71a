//! Who leaves when a fleet becomes smaller.

use super::Standing;
use crate::{ImageId, Zone};
use std::collections::BTreeMap;

/// The `k` members that leave, in the order in which they do: whoever takes no traffic first, then clones of another image
/// than the golden one, then
/// out of the zone with the most members, then the oldest. All of them if there are no more than `k`.
pub fn leaving<'a>(members: &'a [Standing], golden: Option<&ImageId>, k: u32) -> Vec<&'a Standing> {
    let mut staying: Vec<&Standing> = members.iter().collect();
    let mut in_zone: BTreeMap<&Zone, u32> = BTreeMap::new();
    for one in &staying {
        *in_zone.entry(&one.member.zone).or_default() += 1;
    }
    let mut gone = Vec::new();
    for _ in 0..k {
        let next = staying.iter().enumerate().min_by_key(|(_, one)| {
            let crowd = std::cmp::Reverse(in_zone.get(&one.member.zone));
            (one.in_service.is_some(), Some(&one.member.image) == golden, crowd, one.launched, &one.member.id)
        });
        let Some((place, _)) = next else { break };
        let one = staying.swap_remove(place);
        in_zone.entry(&one.member.zone).and_modify(|members| *members -= 1);
        gone.push(one);
    }
    gone
}
