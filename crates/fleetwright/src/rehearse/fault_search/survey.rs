//! Collects the call sites of a workflow from its scenarios: one run that succeeds, and some that roll back or freeze at
//! different points, so that every state is entered.
//!
//! A step that polls makes the same calls again and again. Of a state's invocations that call the same operations in the
//! same order, only the first and the last count, and each of their calls is a call site.

use super::scenarios::{scenarios, world};
use super::{ClientPool, Ending, FaultSearch, FaultSpec, RecordingMode, RehearsalError, Shared, Site, WorldKind};
use crate::rehearse::recording::{Recorder, Recording};
use simulator::process::ProcessCall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A scenario that was rehearsed.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    /// The faults that bring it about.
    pub(super) faults: Vec<FaultSpec>,
    pub(super) ending: Ending,
    /// The members in service at its end.
    pub(super) in_service: u32,
    pub(super) recording: Arc<Recording>,
}

/// A call site, and where a rehearsal meets it.
#[derive(Debug, Clone)]
pub(super) struct MetSite {
    pub(super) site: Site,
    /// The index of the first scenario that makes the call.
    pub(super) scenario: usize,
    /// The number of that scenario's process that makes the call.
    pub(super) process: u64,
}

/// The scenarios, call sites and world faults of a workflow.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) sites: Vec<MetSite>,
    /// Every world fault. One that strikes at a set time is listed for each time at which a state is entered.
    pub(super) world: Vec<WorldKind>,
}

impl Survey {
    /// Rehearses and records every scenario.
    pub(super) fn make(search: &FaultSearch, shared: &Shared) -> Result<Self, RehearsalError> {
        let seed = search.spec.config.rehearsal.seed;
        let pool = ClientPool::default();
        let mut survey = Self { scenarios: Vec::new(), sites: Vec::new(), world: Vec::new() };
        let mut shapes = BTreeSet::new();
        let mut bakes_at = 0;
        for (n, (faults, expected)) in scenarios(&search.spec).into_iter().enumerate() {
            let faults = faults.into_iter().map(|fault| match fault {
                FaultSpec::World(WorldKind::Alarm(_)) => FaultSpec::World(WorldKind::Alarm(bakes_at)),
                other => other,
            });
            let faults: Vec<_> = faults.collect();
            let recorder = Recorder::default();
            let completed = search.rehearse(shared, &pool, RecordingMode::Record(&recorder), seed, &faults)?;
            let trail = completed.simulator.trail();
            if n == 0 {
                survey.world = world(&search.spec, &milestones(&trail));
                bakes_at = trail.iter().find(|passed| &*passed.place == "bake").map_or(0, |passed| second(passed) + 1);
            }
            // A scenario's own fault that strikes all calls of an operation leaves none for another fault.
            let taken: Vec<_> = faults.iter().filter_map(FaultSpec::site).cloned().collect();
            let free =
                |site: &Site| !taken.iter().any(|one| (&one.state, &one.operation) == (&site.state, &site.operation));
            let found = sites(&trail, &mut shapes).filter(|(_, site)| free(site));
            survey.sites.extend(found.map(|(process, site)| MetSite { site, scenario: n, process }));
            let recording = Arc::new(recorder.finish(faults.len()));
            let (ended, in_service) = (completed.ending, completed.in_service());
            survey.scenarios.push(Scenario { faults, ending: ended, in_service, recording });
            if ended != expected {
                let reason = completed.reason.unwrap_or_else(|| "no reason given".to_owned());
                return Err(RehearsalError::UnexpectedEnding { expected, ended, reason });
            }
        }
        Ok(survey)
    }
}

/// The seconds at which a state is first entered.
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

/// The call sites of one run. A shape of invocation in `known` is left out, and a new one is added to it.
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
