//! The oracle: a fleet that knows the future. In each minute it has the fewest members that keep the target, launched early
//! enough to be warm by then. No policy can do better.

use super::demand::Demand;
use super::model_fleet::Second;
use super::replay::{Meter, Replayed};
use super::world::{QUEUE_SECONDS, World};
use fleet::Scaling;

const MINUTE: usize = 60;

pub(super) fn oracle(demand: &Demand, world: &World, scaling: &Scaling) -> Replayed {
    let target = f64::from(scaling.target_cpu) / 100.0;
    let at_target = world.per_member * target;
    let requests: Vec<f64> = demand.each_second().collect();
    let needed: Vec<u32> = requests
        .chunks(MINUTE)
        .map(|minute| {
            // As for every policy, the average of a minute decides whether it is over the target.
            let mean = minute.iter().sum::<f64>() / minute.len() as f64;
            ((mean / at_target - 1e-9).ceil() as u32).clamp(scaling.min, scaling.max)
        })
        .collect();
    let lead = world.longest_until_warm();
    let kept = bridged(&needed, lead);
    let mut meter = Meter::new(target);
    let (mut waiting, mut late, mut lost) = (0.0, 0.0, 0.0);
    for (minute, members) in requests.chunks(MINUTE).zip(&kept) {
        let capacity = f64::from(*members) * world.per_member;
        for &requests in minute {
            let all: f64 = requests + waiting;
            let served = all.min(capacity);
            late += served.min(waiting);
            waiting = (all - served).min(QUEUE_SECONDS * capacity);
            lost += all - served - waiting;
            let cpu = (all / capacity).min(1.0);
            meter.add(requests, &Second { cpu, cpu_of_warm: None, capacity });
        }
        meter.close();
    }
    let launched: u32 = kept.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).sum();
    let serving: i64 =
        requests.chunks(MINUTE).zip(&kept).map(|(minute, members)| minute.len() as i64 * i64::from(*members)).sum();
    Replayed {
        paid_seconds: serving + i64::from(launched) * lead,
        sent: requests.iter().sum(),
        late: late + waiting,
        lost,
        actions: kept.windows(2).filter(|pair| pair[0] != pair[1]).count() as u32,
        lag_seconds: meter.longest,
        minutes: meter.minutes,
    }
}

/// A member that is needed again before a new one would be warm stays, since to launch another costs more. `lead` is how many
/// seconds a new member takes to be warm.
fn bridged(needed: &[u32], lead: i64) -> Vec<u32> {
    let mut kept = needed.to_vec();
    let highest = needed.iter().copied().max().unwrap_or(0);
    for level in 1..=highest {
        let mut last: Option<usize> = None;
        for (minute, members) in needed.iter().enumerate() {
            if *members < level {
                continue;
            }
            if let Some(before) = last.filter(|before| ((minute - before - 1) * MINUTE) as i64 <= lead) {
                kept[before + 1..minute].iter_mut().for_each(|members| *members = (*members).max(level));
            }
            last = Some(minute);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_dips_are_bridged_and_long_ones_are_not() {
        assert_eq!(bridged(&[3, 1, 1, 3, 1, 1, 1, 2], 120), [3, 3, 3, 3, 1, 1, 1, 2]);
        assert_eq!(bridged(&[2, 1, 2], 59), [2, 1, 2]);
    }
}
