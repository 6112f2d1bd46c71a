//! The call sites of a workflow, found by looking at runs without a fault: one that goes through, and some that turn
//! back or freeze at different points, so that every state is met.
//!
//! A step that waits makes the same calls over and over. So of each state's invocations that call the same operations
//! in the same order the first and the last are taken, and each of their calls is a site.

use super::scenarios::{scenarios, world};
use super::{CallKind, Ending, FaultSpec, Pool, RehearsalSpec, Scenery, Search, Site, Trial, WorldKind, unbroken};
use crate::rehearse::process::Beginning;
use crate::rehearse::recording::{Recorder, Recording, StartPoint};
use simulator::process::ProcessCall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A way that a run can go, and what makes it go there.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) fault_specs: Vec<FaultSpec>,
    pub(super) ending: Ending,
    /// How many are in service at its end.
    in_service: u32,
    recording: Arc<Recording>,
}

/// A call that a fault can strike.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) site: Site,
    /// The first scenario that comes by it.
    scenario: usize,
    /// Which of that scenario's processes calls.
    process: u64,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) sites: Vec<Found>,
    /// Every fault of the world; what comes at a time comes at each time at which a state is entered.
    pub(super) world: Vec<WorldKind>,
}

impl Survey {
    pub(super) fn make(search: &Search, scenery: &Scenery) -> Result<Self, String> {
        let seed = search.plan.config.rehearsal.seed;
        let pool = Pool::default();
        let mut survey = Self { scenarios: Vec::new(), sites: Vec::new(), world: Vec::new() };
        let mut shapes = BTreeSet::new();
        let mut bakes_at = 0;
        for (n, (fault_specs, ending)) in scenarios(&search.plan).into_iter().enumerate() {
            let fault_specs = fault_specs.into_iter().map(|fault_spec| match fault_spec {
                FaultSpec::World(WorldKind::Alarm(_)) => FaultSpec::World(WorldKind::Alarm(bakes_at)),
                other => other,
            });
            let fault_specs: Vec<_> = fault_specs.collect();
            let recorder = Recorder::default();
            let played = search.play(scenery, &pool, &unbroken, Beginning::Recorded(&recorder), seed, &fault_specs)?;
            let trail = played.simulator.trail();
            if n == 0 {
                survey.world = world(&search.plan, &milestones(&trail));
                bakes_at = trail.iter().find(|passed| &*passed.place == "bake").map_or(0, |passed| second(passed) + 1);
            }
            // What strikes every call of a kind leaves none for another fault.
            let taken: Vec<_> = fault_specs.iter().filter_map(FaultSpec::site).cloned().collect();
            let free =
                |site: &Site| !taken.iter().any(|one| (&one.state, &one.operation) == (&site.state, &site.operation));
            let found = sites(&trail, &mut shapes).filter(|(_, site)| free(site));
            survey.sites.extend(found.map(|(process, site)| Found { site, scenario: n, process }));
            let recording = Arc::new(recorder.recording(fault_specs.len()));
            survey.scenarios.push(Scenario {
                fault_specs,
                ending: played.ending,
                in_service: played.in_service(),
                recording,
            });
            if played.ending != ending {
                let reason = played.reason.as_deref().unwrap_or("no reason given");
                return Err(format!(
                    "a rehearsal that was to end as {ending:?} ended as {:?}: {reason}",
                    played.ending
                ));
            }
        }
        Ok(survey)
    }

    /// Every fault, alone on its scenario.
    pub(super) fn alone(&self, plan: &RehearsalSpec) -> Vec<Trial> {
        let seed = plan.config.rehearsal.seed;
        let mut trials: Vec<_> = self
            .scenarios
            .iter()
            .map(|scenario| Trial {
                seed,
                fault_specs: scenario.fault_specs.clone(),
                expected: Some((scenario.ending, scenario.in_service)),
                must_strike: true,
                start_point: None,
            })
            .collect();
        for Found { site, scenario, process } in &self.sites {
            let Scenario { fault_specs, ending, in_service, recording } = &self.scenarios[*scenario];
            let start_point = StartPoint::before_process(recording, *process);
            for kind in CallKind::ALL {
                let mut fault_specs = fault_specs.clone();
                fault_specs.push(FaultSpec::at(site.clone(), kind));
                let expected = kind.passes().then_some((*ending, *in_service));
                trials.push(Trial { seed, fault_specs, expected, must_strike: true, start_point: start_point.clone() });
            }
        }
        let world = self.world.iter().map(|kind| Trial {
            seed,
            fault_specs: vec![FaultSpec::World(kind.clone())],
            expected: None,
            must_strike: false,
            start_point: kind.at().and_then(|at| StartPoint::before_time(&self.scenarios.first()?.recording, at)),
        });
        trials.extend(world);
        trials
    }
}

fn milestones(trail: &[ProcessCall]) -> BTreeSet<u32> {
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    for passed in trail {
        first.entry(&passed.place).or_insert_with(|| second(passed));
    }
    first.into_values().collect()
}

fn second(passed: &ProcessCall) -> u32 {
    u32::try_from(passed.at.as_secs()).unwrap_or(u32::MAX)
}

/// The sites of one run, without those of invocations whose shape is known already.
fn sites<'t>(
    trail: &'t [ProcessCall],
    known: &mut BTreeSet<(String, Vec<String>)>,
) -> impl Iterator<Item = (u64, Site)> + use<'t> {
    let mut processes: BTreeMap<u64, Vec<Site>> = BTreeMap::new();
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for ProcessCall { place, process, operation, .. } in trail {
        let nth = counts.entry((place, operation)).or_default();
        *nth += 1;
        let site = Site { state: place.to_string(), operation: operation.to_string(), nth: *nth };
        processes.entry(*process).or_default().push(site);
    }
    let mut ends: BTreeMap<(String, Vec<String>), (u64, u64)> = BTreeMap::new();
    for (process, sites) in &processes {
        let operations = sites.iter().map(|site| site.operation.clone()).collect();
        let state = sites.first().map(|site| site.state.clone()).unwrap_or_default();
        let range = ends.entry((state, operations)).or_insert((*process, *process));
        range.1 = *process;
    }
    let mut taken = BTreeSet::new();
    for (shape, (first, last)) in ends {
        if known.insert(shape) {
            taken.extend([first, last]);
        }
    }
    let taken = processes.into_iter().filter(move |(process, _)| taken.contains(process));
    taken.flat_map(|(process, sites)| sites.into_iter().map(move |site| (process, site)))
}
