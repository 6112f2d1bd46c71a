//! What is rehearsed: the fleet, the goal, the faults and the pace, as the configuration and the command line say.

use super::error::SpecError;
use super::pace::{Pace, shorten_waits};
use super::{FaultSpec, Goal, RehearsalArgs};
use crate::lambda::Functions;
use asl::Resources;
use fleet::Config;
use std::fmt;
use std::sync::Arc;

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct RehearsalSpec {
    /// The fleet's configuration. Its `rehearsal` section describes the simulated world.
    pub config: Config,
    /// What the run is for.
    pub goal: Goal,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// How long things take in the simulated world.
    pub(super) pace: Pace,
    /// Whether the functions may make the calls that the template allows, and no others.
    pub(super) enforces_permissions: bool,
    /// What handles tasks before the functions do. Only tests set it.
    pub(super) interceptor: Option<Interceptor>,
}

impl RehearsalSpec {
    /// A run of this goal in which nothing goes wrong, and everything takes as long as on AWS.
    pub fn new(config: Config, goal: Goal) -> Self {
        Self { config, goal, faults: Vec::new(), pace: Pace::real(), enforces_permissions: true, interceptor: None }
    }

    /// The specification with these faults instead of the ones that it has.
    #[must_use]
    pub fn with_faults(self, faults: Vec<FaultSpec>) -> Self {
        Self { faults, ..self }
    }

    /// The specification with something that handles tasks before the functions do, by which a test breaks a step.
    #[must_use]
    pub fn with_interceptor(self, interceptor: Interceptor) -> Self {
        Self { interceptor: Some(interceptor), ..self }
    }

    /// The specification in a world where everything takes seconds, with short waits and an approval.
    #[must_use]
    pub(super) fn in_fast_world(self) -> Self {
        Self { config: shorten_waits(self.config), pace: Pace::fast(), ..self }
    }

    /// Reads the configuration and applies the command line to it.
    pub(super) fn read(goal: Goal, args: &RehearsalArgs) -> Result<Self, SpecError> {
        let mut config = Config::from_toml(&std::fs::read_to_string(&args.config)?)?;
        if let Some(size) = args.size {
            config.fleet.size = size;
        }
        if let Some(seed) = args.seed {
            config.rehearsal.seed = seed;
        }
        config.check()?;
        let size = config.fleet.size;
        if goal == (Goal::Scale { to: size }) {
            return Err(SpecError::SameSize { size });
        }
        let spec = Self::new(config, goal).with_faults(args.fault.clone());
        Ok(if args.fast_world { spec.in_fast_world() } else { spec })
    }

    /// The functions behind what a test puts before them, if anything.
    pub(super) fn intercepted<'a>(&self, functions: Functions<'a>) -> Box<dyn Resources + 'a> {
        match &self.interceptor {
            Some(Interceptor(wrap)) => wrap(functions),
            None => Box::new(functions),
        }
    }
}

type Wrap = dyn for<'a> Fn(Functions<'a>) -> Box<dyn Resources + 'a> + Send + Sync;

/// Handles tasks between the state machine and the functions.
#[derive(Clone)]
pub struct Interceptor(Arc<Wrap>);

impl Interceptor {
    /// Has `wrap` make what handles the tasks of each rehearsal from the rehearsal's functions.
    pub fn new(wrap: impl for<'a> Fn(Functions<'a>) -> Box<dyn Resources + 'a> + Send + Sync + 'static) -> Self {
        Self(Arc::new(wrap))
    }
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interceptor")
    }
}
