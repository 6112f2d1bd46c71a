//! The fault search: each call site of a workflow with each thing that can happen to a call, and each world fault, alone;
//! then two to eight faults at once, drawn from seeds. All rehearsals are in the fast world.

pub(super) mod command;
mod matrix;
mod scenarios;
mod survey;
#[cfg(test)]
mod tests;
mod trials;
mod workers;

pub use crate::display::SearchEvent;
pub use matrix::{Matrix, TrialViolation};
use trials::Trial;

use super::clients::ClientPool;
use super::comparison::unlike;
use super::fault_spec::{CallKind, FaultSpec, FaultSpecError, Site, WorldKind};
use super::process::RecordingMode;
use super::rehearsal::{Completed, Rehearsal, Shared};
use super::{Ending, RehearsalError, RehearsalSpec, in_virtual_time};
use simulator::invariants::Violation;
use survey::Survey;

/// Which rehearsals a fault search runs.
#[derive(Debug, Clone)]
pub struct FaultSearch {
    /// The run, in the fast world.
    spec: RehearsalSpec,
    /// How many rehearsals have several faults.
    seeds: u64,
    /// Of the rehearsals with one fault, only every `stride`th runs.
    stride: usize,
    /// The command that a reader completes with a trial's arguments to repeat the trial.
    command: String,
}

/// The result of a trial.
#[derive(Debug, Clone)]
pub struct TrialResult {
    /// How it ended.
    pub ending: Ending,
    /// The invariants that did not hold.
    pub violations: Vec<Violation>,
}

/// Why a single trial has no result.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A text names no fault.
    #[error(transparent)]
    Fault(#[from] FaultSpecError),
    /// The rehearsal has no result.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
}

impl FaultSearch {
    /// A search with each fault alone on the run of `spec`, in the fast world, and `seeds` rehearsals with several faults.
    pub fn new(spec: &RehearsalSpec, seeds: u64) -> Self {
        let command = format!("{} --fast-world", spec.goal.command());
        Self { spec: spec.clone().in_fast_world(), seeds, stride: 1, command }
    }

    /// The search for a command with these options.
    #[must_use]
    pub fn with_options(mut self, options: &str) -> Self {
        self.command.push_str(options);
        self
    }

    /// The search in a world where all calls are allowed, so that no policy prevents what a broken step does.
    #[must_use]
    pub fn allowing_all_calls(mut self) -> Self {
        self.spec.enforces_permissions = false;
        self
    }

    /// The search with only every `stride`th of the rehearsals with one fault.
    #[must_use]
    pub fn every(self, stride: usize) -> Self {
        Self { stride: stride.max(1), ..self }
    }

    /// Runs all rehearsals on as many threads as there are processors, and reports their progress to `observer`.
    ///
    /// # Errors
    /// A rehearsal cannot be set up, or a scenario does not end as it must.
    pub fn run(&self, observer: &mut dyn FnMut(SearchEvent)) -> Result<Matrix, RehearsalError> {
        let shared = Shared::new(&self.spec)?;
        let survey = Survey::make(self, &shared)?;
        let alone: Vec<_> = survey.alone(&self.spec).into_iter().step_by(self.stride).collect();
        observer(SearchEvent::OneFaultEach { sites: survey.sites.len(), rehearsals: alone.len() });
        let alone = workers::run_all(self, &shared, alone, observer)?;
        let first = self.spec.config.rehearsal.seed;
        let several: Vec<_> = (first..first.saturating_add(self.seeds)).map(|seed| survey.drawn(seed)).collect();
        observer(SearchEvent::SeveralFaultsEach { rehearsals: several.len() });
        let several = workers::run_all(self, &shared, several, observer)?;
        Ok(Matrix::new(self.spec.goal, &self.command, survey.sites.len(), &alone, &several))
    }

    /// Rehearses once with these faults, as `--fault` names them.
    ///
    /// # Errors
    /// A text names no fault, or the rehearsal cannot be set up.
    pub fn one(&self, faults: &[&str]) -> Result<TrialResult, TrialError> {
        let faults = faults.iter().map(|fault| fault.parse()).collect::<Result<_, FaultSpecError>>()?;
        let seed = self.spec.config.rehearsal.seed;
        let trial = Trial { seed, faults, expected: None, must_strike: true, start_point: None };
        Ok(self.trial(&Shared::new(&self.spec)?, &ClientPool::default(), &trial)?)
    }

    fn trial(&self, shared: &Shared, pool: &ClientPool, trial: &Trial) -> Result<TrialResult, RehearsalError> {
        let mode = trial.start_point.as_ref().map_or(RecordingMode::Off, RecordingMode::Replay);
        let completed = self.rehearse(shared, pool, mode, trial.seed, &trial.faults)?;
        let ended = (completed.ending, completed.in_service());
        let mut violations = completed.verdict.violated;
        violations.extend(trial.expected.and_then(|expected| unlike(ended, expected, completed.reason.as_deref())));
        if trial.must_strike && completed.simulator.faults_struck().last() == Some(&false) {
            violations.push(Violation { invariant: "every-fault-strikes", detail: "a fault found no call".to_owned() });
        }
        Ok(TrialResult { ending: completed.ending, violations })
    }

    fn rehearse(
        &self,
        shared: &Shared,
        pool: &ClientPool,
        mode: RecordingMode<'_>,
        seed: u64,
        faults: &[FaultSpec],
    ) -> Result<Completed, RehearsalError> {
        let mut spec = self.spec.clone().with_faults(faults.to_vec());
        spec.config.rehearsal.seed = seed;
        in_virtual_time(Rehearsal { spec: &spec, shared, pool }.run(mode, &mut |_| {}))?
    }
}
