//! The call sites of a workflow, found by looking at runs without a fault: one that goes through, and some that turn
//! back or freeze at different points, so that every state is met.
//!
//! A step that waits makes the same calls over and over. So of each state's invocations that call the same operations
//! in the same order the first and the last are taken, and each of their calls is a site.

use super::journeys::{journeys, world};
use super::{CallKind, Ending, Mishap, Plan, Pool, Scenery, Search, Site, Trial, WorldKind, unbroken};
use crate::rehearse::process::Beginning;
use crate::rehearse::tape::{Cue, Recorder, Tape};
use simulator::process::Passed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A way that a run can go, and what makes it go there.
#[derive(Debug, Clone)]
pub(super) struct Journey {
    pub(super) mishaps: Vec<Mishap>,
    pub(super) ending: Ending,
    /// How many are in service at its end.
    in_service: u32,
    tape: Arc<Tape>,
}

/// A call that a fault can strike.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) site: Site,
    /// The first journey that comes by it.
    journey: usize,
    /// Which of that journey's processes calls.
    process: u64,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) journeys: Vec<Journey>,
    pub(super) sites: Vec<Found>,
    /// Every fault of the world; what comes at a time comes at each time at which a state is entered.
    pub(super) world: Vec<WorldKind>,
}

impl Survey {
    pub(super) fn make(search: &Search, scenery: &Scenery) -> Result<Self, String> {
        let seed = search.plan.config.rehearsal.seed;
        let pool = Pool::default();
        let mut survey = Self { journeys: Vec::new(), sites: Vec::new(), world: Vec::new() };
        let mut shapes = BTreeSet::new();
        let mut bakes_at = 0;
        for (n, (mishaps, ending)) in journeys(&search.plan).into_iter().enumerate() {
            let mishaps = mishaps.into_iter().map(|mishap| match mishap {
                Mishap::World(WorldKind::Alarm(_)) => Mishap::World(WorldKind::Alarm(bakes_at)),
                other => other,
            });
            let mishaps: Vec<_> = mishaps.collect();
            let recorder = Recorder::default();
            let played = search.play(scenery, &pool, &unbroken, Beginning::Taped(&recorder), seed, &mishaps)?;
            let trail = played.simulator.trail();
            if n == 0 {
                survey.world = world(&search.plan, &milestones(&trail));
                bakes_at = trail.iter().find(|passed| &*passed.place == "bake").map_or(0, |passed| second(passed) + 1);
            }
            // What strikes every call of a kind leaves none for another fault.
            let taken: Vec<_> = mishaps.iter().filter_map(Mishap::site).cloned().collect();
            let free =
                |site: &Site| !taken.iter().any(|one| (&one.state, &one.operation) == (&site.state, &site.operation));
            let found = sites(&trail, &mut shapes).filter(|(_, site)| free(site));
            survey.sites.extend(found.map(|(process, site)| Found { site, journey: n, process }));
            let tape = Arc::new(recorder.tape(mishaps.len()));
            survey.journeys.push(Journey { mishaps, ending: played.ending, in_service: played.in_service(), tape });
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

    /// Every fault, alone on its journey.
    pub(super) fn alone(&self, plan: &Plan) -> Vec<Trial> {
        let seed = plan.config.rehearsal.seed;
        let mut trials: Vec<_> = self
            .journeys
            .iter()
            .map(|journey| Trial {
                seed,
                mishaps: journey.mishaps.clone(),
                expected: Some((journey.ending, journey.in_service)),
                must_strike: true,
                cue: None,
            })
            .collect();
        for Found { site, journey, process } in &self.sites {
            let Journey { mishaps, ending, in_service, tape } = &self.journeys[*journey];
            let cue = Cue::before_process(tape, *process);
            for kind in CallKind::ALL {
                let mut mishaps = mishaps.clone();
                mishaps.push(Mishap::at(site.clone(), kind));
                let expected = kind.passes().then_some((*ending, *in_service));
                trials.push(Trial { seed, mishaps, expected, must_strike: true, cue: cue.clone() });
            }
        }
        let world = self.world.iter().map(|kind| Trial {
            seed,
            mishaps: vec![Mishap::World(kind.clone())],
            expected: None,
            must_strike: false,
            cue: kind.at().and_then(|at| Cue::before_time(&self.journeys.first()?.tape, at)),
        });
        trials.extend(world);
        trials
    }
}

fn milestones(trail: &[Passed]) -> BTreeSet<u32> {
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    for passed in trail {
        first.entry(&passed.place).or_insert_with(|| second(passed));
    }
    first.into_values().collect()
}

fn second(passed: &Passed) -> u32 {
    u32::try_from(passed.at.as_secs()).unwrap_or(u32::MAX)
}

/// The sites of one run, without those of invocations whose shape is known already.
fn sites<'t>(
    trail: &'t [Passed],
    known: &mut BTreeSet<(String, Vec<String>)>,
) -> impl Iterator<Item = (u64, Site)> + use<'t> {
    let mut processes: BTreeMap<u64, Vec<Site>> = BTreeMap::new();
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for Passed { place, process, operation, .. } in trail {
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
