//! The command line.

mod operate;

pub use operate::{
    Abort, Apply, GoldenImage, OfFleet, OfRun, Operate, PlanArgs, Repair, Revert, Scale, UpgradeArgs, Watch, Watching,
    When,
};

use crate::rehearse::{self, FaultSpec, Goal};
use crate::{Exit, Streams, quiet_hours, run_workflow};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fleet::{LocalZone, Span, Version};
use jiff::Timestamp;
use serde::Serialize;
use std::path::PathBuf;

/// Keeps a fleet of cloned servers at the right size and on the right version.
///
/// Data goes to standard output, talk to standard error. Exit status: 0 done, 1 error, 2 bad usage or input,
/// 3 rolled back, 4 frozen and needs a person, 5 still going, 6 refused.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub struct Command {
    #[command(subcommand)]
    what: What,
    /// Without colours; `NO_COLOR` does the same.
    #[arg(long, global = true)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run a workflow that is deployed against a simulated AWS, in virtual time.
    #[command(subcommand)]
    Rehearse(Rehearse),
    /// Work with any definition in the Amazon States Language.
    #[command(subcommand)]
    Workflow(Workflow),
    /// Find the window of the week in which an upgrade disturbs the fewest requests, and say why.
    QuietHours(QuietHours),
    #[command(flatten)]
    Operate(Operate),
}

#[derive(Debug, Subcommand)]
enum Rehearse {
    /// Upgrade the fleet to another version.
    Upgrade(RehearseUpgrade),
    /// Add members to the fleet, or take some out, as a person orders it.
    Scale(RehearseScale),
    /// Take a golden image of a member.
    GoldenImage(Rehearsal),
    /// Let the fleet follow the requests of a trace, beside AWS target tracking and a fleet that knows the future.
    #[command(visible_alias = "scaling")]
    Autoscaling(RehearseScaling),
}

/// The sample configuration, as it is found at the root of the repository.
pub(crate) const SAMPLE: &str = "samplconfig.toml";

/// Which upgrade is rehearsed.
#[derive(Debug, Args)]
pub struct RehearseUpgrade {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    pub to: Version,
    /// How.
    #[command(flatten)]
    pub rehearsal: Rehearsal,
}

/// Which change of size is rehearsed.
#[derive(Debug, Args)]
pub struct RehearseScale {
    /// How many members there are to be.
    #[arg(long, value_name = "MEMBERS")]
    pub to: u32,
    /// How.
    #[command(flatten)]
    pub rehearsal: Rehearsal,
}

/// How a run is rehearsed, and how that is shown.
#[derive(Debug, Args)]
pub struct Rehearsal {
    /// The fleet's configuration.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// How many members, instead of the configuration's `fleet.size`.
    #[arg(long, value_name = "N")]
    pub size: Option<u32>,
    /// What latencies are drawn from, instead of the configuration's `rehearsal.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Something to go wrong, such as `migrate-fails` or `create-the-builder/RunInstances#1/answer-lost`; may be given
    /// more than once.
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<FaultSpec>,
    /// Rehearse once for each fault at each call, then with several faults at once; exit status 1 if an invariant did not
    /// hold.
    #[arg(long, value_enum, conflicts_with = "fault")]
    pub faults: Option<Faults>,
    /// How many rehearsals with several faults at once.
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "faults")]
    pub seeds: u64,
    /// Where a page for browsers is written that draws the run: steps, members in service, requests.
    #[arg(long, value_name = "FILE", conflicts_with = "faults")]
    pub report: Option<PathBuf>,
    /// Rehearse in a world where everything takes seconds, with an approval.
    #[arg(long, alias = "brisk")]
    pub fast_world: bool,
    /// How the outcome is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Which faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Faults {
    /// Every one.
    All,
}

/// How an outcome is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// What the fleet follows, and how that is shown.
#[derive(Debug, Args)]
pub struct RehearseScaling {
    /// Request counts: CSV with the columns `timestamp` (`YYYY-MM-DD HH:MM:SS` in UTC, or RFC 3339) and `value`, a row for
    /// each step.
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// What one member serves at 100 % CPU, in requests a second; unless given, so that `scaling.max` members keep the
    /// target in 99 of 100 steps.
    #[arg(long, value_name = "RPS", value_parser = requests_per_second)]
    pub per_member: Option<f64>,
    /// What decides, beside target tracking and the fleet that knows the future.
    #[arg(long, value_enum, default_value_t = PolicyName::Ours)]
    pub policy: PolicyName,
    /// The fleet's configuration.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// What latencies and noise are drawn from, instead of the configuration's `rehearsal.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Draw demand, capacity and CPU over time into this file, as a page for browsers.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How the outcome is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What decides on a fleet's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// Fleetwright, by the fleet's configuration.
    Ours,
    /// AWS target tracking, with the same target.
    TargetTracking,
    /// AWS step scaling, by the steps of AWS's own example.
    Step,
}

fn requests_per_second(text: &str) -> Result<f64, String> {
    let wrong = || format!("'{text}' is no rate: expected requests a second from 0.000001 to 1000000, such as 25");
    let rate: f64 = text.parse().map_err(|_| wrong())?;
    if (1e-6..=1e6).contains(&rate) { Ok(rate) } else { Err(wrong()) }
}

/// What the quietest window is found in, and for what.
#[derive(Debug, Args)]
pub struct QuietHours {
    /// Request counts: CSV with the columns `timestamp` (`YYYY-MM-DD HH:MM:SS` in UTC, or RFC 3339) and `value`, a row for
    /// each step. Two weeks or more; from two days on, a daily pattern.
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// How long the upgrade takes, such as 45m; unless given, as long as a rehearsed upgrade to the next minor version.
    #[arg(long, value_name = "TIME", value_parser = operate::span, conflicts_with = "config")]
    pub length: Option<Span>,
    /// The configuration of the fleet whose upgrade is rehearsed.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// By whose clocks a week goes: a name of the IANA database, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: LocalZone,
    /// The window begins then or within the week after it; unless given, at the end of the trace. Such as
    /// 2026-03-01T04:05:00Z.
    #[arg(long, value_name = "TIME")]
    pub after: Option<Timestamp>,
    /// How the window is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
enum Workflow {
    /// Run a definition in virtual time and print how it ended, as one JSON object.
    Run(RunWorkflow),
}

/// Which definition is run, on what.
#[derive(Debug, Args)]
pub struct RunWorkflow {
    /// The definition, in the Amazon States Language.
    pub definition: PathBuf,
    /// The execution's input, as JSON; `{}` if left out.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// What Task states answer, in AWS Step Functions Local's mock configuration format.
    #[arg(long, value_name = "FILE", requires = "case")]
    pub mocks: Option<PathBuf>,
    /// The test case of the mock configuration.
    #[arg(long, value_name = "NAME", requires = "mocks")]
    pub case: Option<String>,
    /// Where its events are written, in the shape of GetExecutionHistory.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

impl Command {
    /// Does what the command line says.
    pub fn run(self, streams: &mut Streams<'_>) -> Exit {
        if self.no_color {
            console::set_colors_enabled(false);
            console::set_colors_enabled_stderr(false);
        }
        match self.what {
            What::Rehearse(Rehearse::Upgrade(args)) => {
                rehearse::run(Goal::Upgrade { to: args.to }, &args.rehearsal, streams)
            }
            What::Rehearse(Rehearse::Scale(args)) => {
                rehearse::run(Goal::Scale { to: args.to }, &args.rehearsal, streams)
            }
            What::Rehearse(Rehearse::GoldenImage(args)) => rehearse::run(Goal::GoldenImage, &args, streams),
            What::Rehearse(Rehearse::Autoscaling(args)) => rehearse::autoscaling(&args, streams),
            What::Workflow(Workflow::Run(args)) => run_workflow::run(&args, streams),
            What::QuietHours(args) => quiet_hours::run(&args, streams),
            What::Operate(what) => crate::operate::run(&what, streams),
        }
    }
}
