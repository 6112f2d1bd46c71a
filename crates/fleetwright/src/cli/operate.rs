//! The command line against a deployed stack. Region, profile and endpoints come from where the AWS CLI takes them.

use super::Output;
use clap::{Args, Subcommand};
use fleet::{FleetName, ImageId, InstanceId, RunId, Span, Version, WeeklyTime};
use std::path::PathBuf;

/// What is done with a deployed fleet.
#[derive(Debug, Subcommand)]
pub enum Operate {
    /// Check a fleet's configuration, also against AWS, and store it in the ledger.
    Apply(Apply),
    /// Say what an upgrade would do, how long it takes and what it needs. Changes nothing.
    Plan(PlanArgs),
    /// Start an upgrade and watch it to its end.
    Upgrade(UpgradeArgs),
    /// Show a fleet as the ledger has it and as it stands on AWS.
    Status(OfFleet),
    /// Watch a run to its end; the exit status says how it ended.
    Watch(Watch),
    /// List a fleet's runs, the latest first.
    History(OfFleet),
    /// Let a run that waits for it delete the old members.
    Approve(OfRun),
    /// Make a run turn back and restore the members that were there before.
    Abort(Abort),
    /// Go back to an image that is kept, also after a run has finished; nothing bakes. The data stays as it is.
    #[command(visible_alias = "rollback")]
    Revert(Revert),
    /// Add members from the golden image, or take members out, at once; while an upgrade is going it joins that, or waits.
    Scale(Scale),
    /// Take a golden image of a member, for a fleet that has none: it is taken out, drains, stops, and comes back in.
    GoldenImage(GoldenImage),
    /// List the golden image and those that are kept beside it.
    Images(OfFleet),
    /// Say what is not as it should be, and what mends it; exit status 1 if anything is not. Changes nothing.
    Doctor(OfFleet),
    /// Bring a run that is frozen, or whose execution was stopped, to its end, or a fleet that was edited by hand back to
    /// what it was declared to be.
    Repair(Repair),
}

/// Which configuration is applied.
#[derive(Debug, Args)]
pub struct Apply {
    /// The fleet's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Which fleet.
#[derive(Debug, Args)]
pub struct OfFleet {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Which run.
#[derive(Debug, Args)]
pub struct OfRun {
    /// The run; the one that holds the fleet unless given.
    pub run: Option<RunId>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
}

/// What is planned.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    pub to: Version,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// Where the plan is written, to be started with `upgrade --plan`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What is started.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: Option<FleetName>,
    /// A plan of `plan --out`; it is refused if the fleet has changed since.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Not now, but then: `quiet` is the quietest window by the load balancer's request counts, `window` the next of
    /// upgrade.windows.
    #[arg(long, value_name = "quiet|window|'sun 03:00 Europe/Berlin'", conflicts_with_all = ["plan", "timeout"])]
    pub when: Option<When>,
    /// Whether a person is asked before the old members are deleted, whatever the configuration says.
    #[arg(long, value_name = "true|false")]
    pub approval: Option<bool>,
    /// Do not watch: return as soon as it is started.
    #[arg(long, conflicts_with = "timeout")]
    pub detach: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// When an upgrade starts that does not start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// In the quietest window of the week to come.
    Quiet,
    /// When the next window opens that it fits into.
    Window,
    /// Then.
    At(WeeklyTime),
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "quiet" => Ok(Self::Quiet),
            "window" => Ok(Self::Window),
            moment => moment.parse().map(Self::At).map_err(|error| format!("{error}, or 'quiet' or 'window'")),
        }
    }
}

/// Which run is watched.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which run.
    #[command(flatten)]
    pub of: OfRun,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// Which run is to turn back.
#[derive(Debug, Args)]
pub struct Abort {
    /// Which run.
    #[command(flatten)]
    pub of: OfRun,
    /// Do not watch: return as soon as it is asked for.
    #[arg(long, conflicts_with = "timeout")]
    pub detach: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// How large the fleet is to be.
#[derive(Debug, Args)]
pub struct Scale {
    /// How many members there are to be.
    #[arg(long, value_name = "MEMBERS", conflicts_with = "by")]
    pub to: Option<u32>,
    /// How many more, or with a '-' fewer.
    #[arg(long, value_name = "CHANGE", allow_negative_numbers = true)]
    pub by: Option<i32>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// Do not watch: return as soon as it is started.
    #[arg(long, conflicts_with = "timeout")]
    pub detach: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// What an image is taken of.
#[derive(Debug, Args)]
pub struct GoldenImage {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// The member; the first in service unless given.
    #[arg(long, value_name = "INSTANCE")]
    pub member: Option<InstanceId>,
    /// Take it also of the only member in service, so that nobody serves meanwhile.
    #[arg(long)]
    pub downtime: bool,
    /// Do not watch: return as soon as it is started.
    #[arg(long, conflicts_with = "timeout")]
    pub detach: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// What is gone back to.
#[derive(Debug, Args)]
pub struct Revert {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// A kept image, in quarantine or not; the last good one unless given.
    #[arg(long, value_name = "AMI")]
    pub image: Option<ImageId>,
    /// Do not watch: return as soon as it is started.
    #[arg(long, conflicts_with = "timeout")]
    pub detach: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// Which fleet is repaired.
#[derive(Debug, Args)]
pub struct Repair {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    pub fleet: FleetName,
    /// Do it; without this it only says what it would do.
    #[arg(long)]
    pub yes: bool,
    /// How it is watched.
    #[command(flatten)]
    pub watching: Watching,
}

/// How a run is watched.
#[derive(Debug, Args)]
pub struct Watching {
    /// How long to watch, such as 90s or 2h; without end unless given. Exit status 5 when it is over and the run is not.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub timeout: Option<Span>,
    /// How the outcome is shown.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

pub(super) fn span(text: &str) -> Result<Span, String> {
    Span::try_from(text.to_owned()).map_err(|error| error.to_string())
}
