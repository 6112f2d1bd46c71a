//! Every fault: each call site of a workflow with each thing that can happen to a call, and each fault of the world,
//! alone; then pairs and storms of them, drawn from seeds. All in the brisk world.

mod scenarios;
mod schedule;
mod show;
mod survey;
#[cfg(test)]
mod tests;
mod workers;

pub use show::{Breach, Matrix};

use super::clients::Pool;
use super::fault_spec::{CallKind, FaultSpec, Site, WorldKind};
use super::outcome::unlike;
use super::pace::Pace;
use super::process::Beginning;
use super::recording::StartPoint;
use super::stage::{Played, Rehearsal_};
use super::{Ending, RehearsalSpec, in_virtual_time};
use crate::lambda::Functions;
use crate::permissions::permissions;
use asl::{Resources, StateMachine};
use simulator::iam::Permissions;
use simulator::invariants::Violation;
use std::sync::Arc;
use survey::Survey;

/// What is to be found out.
#[derive(Debug, Clone)]
pub struct Search {
    /// The run; brisk, see [`Search::new`].
    plan: RehearsalSpec,
    /// How many pairs and storms.
    seeds: u64,
    /// Of the rehearsals with one fault each every so many.
    stride: usize,
    /// Whether functions may do what the template lets them and nothing else.
    guarded: bool,
    /// What a reader puts before a trial's own arguments to see it again.
    command: String,
}

/// One rehearsal of the many.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What its latencies are drawn from.
    pub seed: u64,
    /// What goes wrong.
    pub fault_specs: Vec<FaultSpec>,
    /// How it must end, and with how many members in service, if that is known.
    expected: Option<(Ending, u32)>,
    /// Whether the last of the fault_specs must have struck.
    must_strike: bool,
    /// From where it is other than the scenario that it is on; the very beginning if that is not known.
    start_point: Option<StartPoint>,
}

/// What a trial came to.
#[derive(Debug, Clone)]
pub struct Result {
    /// How it ended.
    pub ending: Ending,
    /// What did not hold.
    pub violations: Vec<Violation>,
}

/// What all trials have in common.
struct Scenery {
    machine: StateMachine,
    permissions: Option<Arc<Permissions>>,
}

/// Puts something between the state machine and the functions: how a test breaks a step.
pub type Wrap = dyn for<'a> Fn(Functions<'a>) -> Box<dyn Resources + 'a>;

/// Puts nothing there.
fn unbroken<'a>(functions: Functions<'a>) -> Box<dyn Resources + 'a> {
    Box::new(functions)
}

impl Search {
    /// Every fault on the run of `plan`, alone, and `seeds` schedules of several. The plan's waits are made short.
    pub fn new(plan: &RehearsalSpec, seeds: u64) -> Self {
        let plan = RehearsalSpec { config: super::pace::brisk(plan.config.clone()), ..plan.clone() };
        let command = format!("{} --brisk", plan.goal.command());
        Self { plan, seeds, stride: 1, guarded: true, command }
    }

    /// The same, for a command with more options.
    #[must_use]
    pub fn with_options(mut self, options: &str) -> Self {
        self.command.push_str(options);
        self
    }

    /// Where everyone may everything: what a broken step does must not be the policy's to prevent.
    #[must_use]
    pub fn unguarded(self) -> Self {
        Self { guarded: false, ..self }
    }

    /// Of the rehearsals with one fault each only every `stride`th.
    #[must_use]
    pub fn every(self, stride: usize) -> Self {
        Self { stride: stride.max(1), ..self }
    }

    /// Runs all of it, on as many threads as there are processors.
    ///
    /// # Errors
    /// When a rehearsal cannot be set up, or one without a fault does not come out as it must.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> std::result::Result<Matrix, String> {
        let scenery = self.scenery()?;
        let survey = Survey::make(self, &scenery)?;
        let alone: Vec<_> = survey.alone(&self.plan).into_iter().step_by(self.stride).collect();
        progress(&format!("{} call sites; {} rehearsals with one fault each", survey.sites.len(), alone.len()));
        let alone = workers::all(self, &scenery, alone)?;
        progress(&format!("{} rehearsals with several faults each", self.seeds));
        let first = self.plan.config.rehearsal.seed;
        let schedules = (first..first.saturating_add(self.seeds)).map(|seed| schedule::draw(seed, &survey));
        let several = workers::all(self, &scenery, schedules.collect())?;
        Ok(Matrix::new(self.plan.goal, &self.command, survey.sites.len(), &alone, &several))
    }

    /// One rehearsal with these faults, as the command line writes them, and `wrap` between the state machine and the
    /// functions.
    ///
    /// # Errors
    /// When it cannot be set up, and what is no fault.
    pub fn one(&self, wrap: &Wrap, faults: &[&str]) -> std::result::Result<Result, String> {
        let fault_specs = faults.iter().map(|fault| fault.parse()).collect::<std::result::Result<_, _>>()?;
        let seed = self.plan.config.rehearsal.seed;
        self.trial(
            &self.scenery()?,
            &Pool::default(),
            wrap,
            &Trial { seed, fault_specs, expected: None, must_strike: true, start_point: None },
        )
    }

    fn trial(&self, scenery: &Scenery, pool: &Pool, wrap: &Wrap, trial: &Trial) -> std::result::Result<Result, String> {
        let beginning = trial.start_point.as_ref().map_or(Beginning::Own, Beginning::Replayed);
        let played = self.play(scenery, pool, wrap, beginning, trial.seed, &trial.fault_specs)?;
        let in_service = played.in_service();
        let mut violations = played.verdict.violated;
        let ended = (played.ending, in_service);
        violations.extend(trial.expected.and_then(|expected| unlike(ended, expected, played.reason.as_deref())));
        if trial.must_strike && played.simulator.faults_struck().last() == Some(&false) {
            violations.push(Violation { invariant: "every-fault-strikes", detail: "a fault found no call".to_owned() });
        }
        Ok(Result { ending: played.ending, violations })
    }

    fn play(
        &self,
        scenery: &Scenery,
        pool: &Pool,
        wrap: &Wrap,
        beginning: Beginning<'_>,
        seed: u64,
        fault_specs: &[FaultSpec],
    ) -> std::result::Result<Played, String> {
        let mut plan = self.plan.clone();
        plan.config.rehearsal.seed = seed;
        let pace = Pace::brisk();
        let Scenery { machine, permissions } = scenery;
        let permissions = permissions.as_ref();
        let stage = Rehearsal_ { machine, plan: &plan, fault_specs, pace: &pace, permissions, pool };
        in_virtual_time(stage.play(beginning, &mut |_| {}, |functions| wrap(functions)))
            .map_err(|error| error.to_string())?
    }

    fn scenery(&self) -> std::result::Result<Scenery, String> {
        let machine = self.plan.goal.definition(&self.plan.config);
        let machine = StateMachine::parse(machine.text).map_err(|invalid| invalid.to_string())?;
        let permissions = self.guarded.then(|| permissions(&self.plan.config).map(Arc::new)).transpose()?;
        Ok(Scenery { machine, permissions })
    }
}
