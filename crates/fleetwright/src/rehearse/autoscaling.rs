//! `rehearse autoscaling`: replays how a fleet follows the requests of a trace.
//!
//! Each policy replays the same trace second by second. Members take time to launch and to warm up, metric points of one
//! minute arrive late, alarms are evaluated each minute, and leaving members drain first. Beside the chosen policy the
//! command always replays AWS target tracking and the oracle, which knows the future.

mod demand;
mod model_fleet;
mod oracle;
mod page;
mod policy;
mod replay;
mod report;
mod text;
mod world;

use super::args::{AutoscalingArgs, PolicyName};
use crate::{Exit, Streams};
use demand::Demand;
use fleet::{Config, ConfigError, Scaling, Trace, TraceError};
use oracle::oracle;
use policy::{Ours, Policy, Step, TargetTracking};
use replay::{Replayed, replay};
use report::Report;
use std::path::{Path, PathBuf};
use world::World;

/// Longer traces are refused, because a year already takes seconds for each policy.
const LONGEST_DAYS: i64 = 366;

/// What is replayed.
struct ReplaySpec {
    config: Config,
    scaling: Scaling,
    trace: Trace,
    demand: Demand,
    /// What one member serves at 100 % CPU, in requests per second.
    per_member: f64,
    /// The members at the start.
    size: u32,
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error("{}: {error}", file.display())]
    Read { file: PathBuf, error: std::io::Error },
    #[error("{}: {error}", file.display())]
    Write { file: PathBuf, error: std::io::Error },
    #[error("{}: {error}", file.display())]
    Config { file: PathBuf, error: ConfigError },
    #[error(
        "{}: scaling: the section is missing: expected min, max and target_cpu, as the sample has them",
        file.display()
    )]
    NoScaling { file: PathBuf },
    #[error("{}: {error}", file.display())]
    Trace { file: PathBuf, error: TraceError },
    #[error("{}: the trace spans {days} days: expected fewer than {LONGEST_DAYS}", file.display())]
    TooLong { file: PathBuf, days: i64 },
    #[error("{}: 99 of 100 steps have no request: pass --per-member, what one member serves", file.display())]
    NoRequests { file: PathBuf },
}

/// Replays the trace with each policy and prints the figures.
pub(crate) fn run(args: &AutoscalingArgs, streams: &mut Streams<'_>) -> Exit {
    let report = match report(args) {
        Ok(report) => report,
        Err(error) => {
            streams.talk(format!("error: {error}"));
            return Exit::BadInput;
        }
    };
    match streams.show(args.output, &report, text::render) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Error,
    }
}

/// The figures of each policy. Writes the report page if the command line names a file.
fn report(args: &AutoscalingArgs) -> Result<Report, ReplayError> {
    let spec = ReplaySpec::read(args)?;
    let replayed = replay_all(&spec, args.policy);
    let report = Report::of(args, &spec, &replayed);
    if let Some(file) = &args.report {
        let page = page::page(&report, &spec, &replayed);
        std::fs::write(file, page).map_err(|error| ReplayError::Write { file: file.clone(), error })?;
    }
    Ok(report)
}

impl ReplaySpec {
    /// Reads the configuration and the trace.
    fn read(args: &AutoscalingArgs) -> Result<Self, ReplayError> {
        let file = || args.config.clone();
        let config = Config::from_toml(&read(&args.config)?);
        let mut config = config.map_err(|error| ReplayError::Config { file: file(), error })?;
        if let Some(seed) = args.seed {
            config.rehearsal.seed = seed;
        }
        let scaling = config.scaling.ok_or_else(|| ReplayError::NoScaling { file: file() })?;
        let file = || args.trace.clone();
        let trace = Trace::from_csv(&read(&args.trace)?);
        let trace = trace.map_err(|error| ReplayError::Trace { file: file(), error })?;
        let days = trace.span_seconds().div_euclid(86_400);
        if days >= LONGEST_DAYS {
            return Err(ReplayError::TooLong { file: file(), days });
        }
        let demand = Demand::of(&trace);
        let at_target = f64::from(scaling.max) * f64::from(scaling.target_cpu) / 100.0;
        let per_member = args.per_member.unwrap_or(demand.busy() / at_target);
        if per_member <= 0.0 {
            return Err(ReplayError::NoRequests { file: file() });
        }
        let size = config.fleet.size.clamp(scaling.min, scaling.max);
        Ok(Self { config, scaling, trace, demand, per_member, size })
    }
}

fn read(file: &Path) -> Result<String, ReplayError> {
    std::fs::read_to_string(file).map_err(|error| ReplayError::Read { file: file.to_owned(), error })
}

/// The chosen policy, target tracking and the oracle, each with its name.
fn replay_all(spec: &ReplaySpec, chosen: PolicyName) -> Vec<(&'static str, Replayed)> {
    let scaling = &spec.scaling;
    let world = World::new(&spec.config, scaling.warm_up.as_secs().into(), spec.per_member);
    let replay = |policy: &mut dyn Policy| replay(&spec.demand, &world, scaling, spec.size, policy);
    let mut replayed = match chosen {
        PolicyName::Ours => vec![("ours", replay(&mut Ours::new(&spec.config, spec.demand.start)))],
        PolicyName::Step => vec![("step", replay(&mut Step))],
        PolicyName::TargetTracking => Vec::new(),
    };
    replayed.push(("target-tracking", replay(&mut TargetTracking)));
    replayed.push(("oracle", oracle(&spec.demand, &world, scaling)));
    replayed
}
