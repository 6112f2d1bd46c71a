//! `rehearse autoscaling`: how a fleet follows the requests of a trace.
//!
//! The same trace is replayed second by second for each policy: members take their time to launch and to warm up, points of
//! one minute arrive late, alarms are evaluated each minute, members that leave drain first. Beside the policy asked for
//! stand AWS target tracking and a fleet that knows the future.

mod demand;
mod html;
mod model_fleet;
mod oracle;
mod play;
mod policy;
mod report;
mod text;
mod world;

use super::args::{AutoscalingArgs, PolicyName};
use crate::output::Output;
use crate::{Exit, Streams};
use demand::Demand;
use fleet::{Config, Scaling, Trace};
use oracle::oracle;
use play::{Played, play};
use policy::{Ours, Policy, Step, TargetTracking};
use report::Report;
use std::fmt::Display;
use std::path::Path;
use world::World;

/// Longer traces are refused: a year already takes seconds for each policy.
const LONGEST_DAYS: i64 = 366;

/// What is rehearsed.
struct Replay {
    config: Config,
    scaling: Scaling,
    trace: Trace,
    demand: Demand,
    per_member: f64,
    /// Members at the start.
    size: u32,
}

/// Reads, replays, and shows what came of it.
pub(crate) fn run(args: &AutoscalingArgs, streams: &mut Streams<'_>) -> Exit {
    let shown = plan(args).and_then(|plan| {
        let played = play_all(&plan, args.policy);
        let report = Report::of(args, &plan, &played);
        if let Some(file) = &args.report {
            let page = html::page(&report, &plan, &played);
            std::fs::write(file, page).map_err(|error| in_file(file, &error))?;
        }
        Ok(report)
    });
    let report = match shown {
        Ok(report) => report,
        Err(problem) => {
            streams.talk(format!("error: {problem}"));
            return Exit::BadInput;
        }
    };
    match args.output {
        Output::Text => streams.data(text::render(&report).trim_end()),
        Output::Json => match serde_json::to_string_pretty(&report) {
            Ok(json) => streams.data(json),
            Err(error) => {
                streams.talk(format!("error: {error}"));
                return Exit::Error;
            }
        },
    }
    Exit::Done
}

fn plan(args: &AutoscalingArgs) -> Result<Replay, String> {
    let mut config = Config::from_toml(&read(&args.config)?).map_err(|error| in_file(&args.config, &error))?;
    if let Some(seed) = args.seed {
        config.rehearsal.seed = seed;
    }
    let scaling = config.scaling.ok_or_else(|| {
        in_file(
            &args.config,
            &"scaling: the section is missing: expected min, max and target_cpu, as the sample has them",
        )
    })?;
    let bad_trace = |problem: &dyn Display| in_file(&args.trace, problem);
    let trace = Trace::from_csv(&read(&args.trace)?).map_err(|error| bad_trace(&error))?;
    let days = trace.span_seconds().div_euclid(86_400);
    if days >= LONGEST_DAYS {
        let problem = format!("the trace spans {days} days: expected fewer than {LONGEST_DAYS}");
        return Err(bad_trace(&problem));
    }
    let demand = Demand::of(&trace);
    let at_target = f64::from(scaling.max) * f64::from(scaling.target_cpu) / 100.0;
    let per_member = args.per_member.unwrap_or(demand.busy() / at_target);
    if per_member <= 0.0 {
        return Err(bad_trace(&"99 of 100 steps have no request: say with --per-member what one member serves"));
    }
    let size = config.fleet.size.clamp(scaling.min, scaling.max);
    Ok(Replay { config, scaling, trace, demand, per_member, size })
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| in_file(file, &error))
}

fn in_file(file: &Path, problem: &dyn Display) -> String {
    format!("{}: {problem}", file.display())
}

/// The policy asked for, target tracking, and the fleet that knows the future; each by its name.
fn play_all(plan: &Replay, asked: PolicyName) -> Vec<(&'static str, Played)> {
    let scaling = &plan.scaling;
    let world = World::new(&plan.config, scaling.warm_up.as_secs().into(), plan.per_member);
    let play = |policy: &mut dyn Policy| play(&plan.demand, &world, scaling, plan.size, policy);
    let mut played = match asked {
        PolicyName::Ours => vec![("ours", play(&mut Ours::new(&plan.config, plan.demand.start)))],
        PolicyName::Step => vec![("step", play(&mut Step))],
        PolicyName::TargetTracking => Vec::new(),
    };
    played.push(("target-tracking", play(&mut TargetTracking)));
    played.push(("oracle", oracle(&plan.demand, &world, scaling)));
    played
}
