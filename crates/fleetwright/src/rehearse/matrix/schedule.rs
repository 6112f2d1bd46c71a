//! Pairs and storms of faults, drawn from a seed.

use super::survey::Survey;
use super::{CallKind, FaultSpec, Site, Trial};

/// At most so many faults make a storm.
const STORM: u64 = 8;
/// How far from where it was found a site may be looked for: other seeds and faults shift it.
const SHIFT: u64 = 3;
/// Of so many faults one is of the world, on average.
const WORLD: u64 = 5;

/// The schedule of one seed: a scenario, and two faults on it or a storm of them.
pub(super) fn draw(seed: u64, survey: &Survey) -> Trial {
    let mut random = fastrand::Rng::with_seed(seed);
    // Mostly on the way through; what the scenario makes go wrong is one fault more.
    let scenario = if random.bool() { 0 } else { random.usize(..survey.scenarios.len()) };
    let mut fault_specs = survey.scenarios[scenario].fault_specs.clone();
    let faults = if random.bool() { 2 } else { random.u64(3..=STORM) };
    for _ in 0..faults {
        if random.u64(..WORLD) == 0 {
            fault_specs.push(FaultSpec::World(survey.world[random.usize(..survey.world.len())].clone()));
            continue;
        }
        let site = &survey.sites[random.usize(..survey.sites.len())].site;
        let nth = site.nth.saturating_add(u32::try_from(random.u64(..SHIFT)).unwrap_or_default());
        let kind = CallKind::ALL[random.usize(..CallKind::ALL.len())];
        fault_specs.push(FaultSpec::at(Site { nth, ..site.clone() }, kind));
    }
    Trial { seed, fault_specs, expected: None, must_strike: false, start_point: None }
}
