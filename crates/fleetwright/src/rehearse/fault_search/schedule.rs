//! Draws a pair or a storm of faults from a seed.

use super::survey::Survey;
use super::{CallKind, FaultSpec, Site, Trial};

/// The most faults of a storm.
const STORM: u64 = 8;
/// How far a drawn call may be from the call site that the survey found, because other seeds and faults shift calls.
const SHIFT: u64 = 3;
/// One of this many faults is a world fault, on average.
const WORLD: u64 = 5;

/// The trial of one seed: a scenario with two faults or a storm.
pub(super) fn draw(seed: u64, survey: &Survey) -> Trial {
    let mut random = fastrand::Rng::with_seed(seed);
    // Half of the trials and more take the scenario that succeeds. The other scenarios bring faults of their own.
    let scenario = if random.bool() { 0 } else { random.usize(..survey.scenarios.len()) };
    let mut faults = survey.scenarios[scenario].faults.clone();
    let count = if random.bool() { 2 } else { random.u64(3..=STORM) };
    for _ in 0..count {
        if random.u64(..WORLD) == 0 {
            faults.push(FaultSpec::World(survey.world[random.usize(..survey.world.len())].clone()));
            continue;
        }
        let site = &survey.sites[random.usize(..survey.sites.len())].site;
        let nth = site.nth.saturating_add(u32::try_from(random.u64(..SHIFT)).unwrap_or_default());
        let kind = CallKind::ALL[random.usize(..CallKind::ALL.len())];
        faults.push(FaultSpec::at(Site { nth, ..site.clone() }, kind));
    }
    Trial { seed, faults, expected: None, must_strike: false, start_point: None }
}
