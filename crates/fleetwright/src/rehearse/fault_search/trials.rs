//! The trials of a fault search: each fault alone, then two to eight faults at once.

use super::survey::{MetSite, Scenario, Survey};
use super::{CallKind, Ending, FaultSpec, RehearsalSpec, Site};
use crate::rehearse::recording::StartPoint;

/// The most faults that a trial draws.
const MOST_FAULTS: u64 = 8;
/// How far a drawn call may be from the call site that the survey found, because other seeds and faults shift calls.
const SHIFT: u64 = 3;
/// One of this many faults is a world fault, on average.
const WORLD: u64 = 5;

/// One rehearsal of the search.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The rehearsal's seed.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// How the rehearsal must end, and with how many members in service. None if that is not known.
    pub(super) expected: Option<(Ending, u32)>,
    /// Whether the last of the faults must strike a call.
    pub(super) must_strike: bool,
    /// Where the rehearsal leaves the recording of its scenario. None if it starts at the first instant.
    pub(super) start_point: Option<StartPoint>,
}

impl Trial {
    /// The arguments that repeat the trial.
    pub(super) fn arguments(&self) -> String {
        let faults = self.faults.iter().map(|fault| format!(" --fault {fault}"));
        format!("--seed {}{}", self.seed, faults.collect::<String>())
    }
}

impl Survey {
    /// One trial for each scenario, for each kind of fault at each call site, and for each world fault.
    pub(super) fn alone(&self, spec: &RehearsalSpec) -> Vec<Trial> {
        let seed = spec.config.rehearsal.seed;
        let mut trials: Vec<_> = self
            .scenarios
            .iter()
            .map(|scenario| Trial {
                seed,
                faults: scenario.faults.clone(),
                expected: Some((scenario.ending, scenario.in_service)),
                must_strike: true,
                start_point: None,
            })
            .collect();
        for MetSite { site, scenario, process } in &self.sites {
            let Scenario { faults, ending, in_service, recording } = &self.scenarios[*scenario];
            let start_point = StartPoint::before_process(recording, *process);
            for kind in CallKind::ALL {
                let mut faults = faults.clone();
                faults.push(FaultSpec::at(site.clone(), kind));
                let expected = kind.must_be_survived().then_some((*ending, *in_service));
                trials.push(Trial { seed, faults, expected, must_strike: true, start_point: start_point.clone() });
            }
        }
        let world = self.world.iter().map(|kind| Trial {
            seed,
            faults: vec![FaultSpec::World(kind.clone())],
            expected: None,
            must_strike: false,
            start_point: kind.at().and_then(|at| StartPoint::before_time(&self.scenarios.first()?.recording, at)),
        });
        trials.extend(world);
        trials
    }

    /// The trial of one seed: a scenario and two faults, or up to [`MOST_FAULTS`].
    pub(super) fn drawn(&self, seed: u64) -> Trial {
        let mut random = fastrand::Rng::with_seed(seed);
        // More than half of the trials take the scenario that succeeds. The other scenarios have faults of their own.
        let scenario = if random.bool() { 0 } else { random.usize(..self.scenarios.len()) };
        let mut faults = self.scenarios[scenario].faults.clone();
        let count = if random.bool() { 2 } else { random.u64(3..=MOST_FAULTS) };
        for _ in 0..count {
            if random.u64(..WORLD) == 0 {
                faults.push(FaultSpec::World(self.world[random.usize(..self.world.len())].clone()));
                continue;
            }
            let site = &self.sites[random.usize(..self.sites.len())].site;
            let nth = site.nth.saturating_add(u32::try_from(random.u64(..SHIFT)).unwrap_or_default());
            let kind = CallKind::ALL[random.usize(..CallKind::ALL.len())];
            faults.push(FaultSpec::at(Site { nth, ..site.clone() }, kind));
        }
        Trial { seed, faults, expected: None, must_strike: false, start_point: None }
    }
}
