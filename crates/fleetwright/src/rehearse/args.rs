//! The arguments of `rehearse`.

use super::FaultSpec;
use crate::output::Output;
use clap::{Args, ValueEnum};
use fleet::Version;
use serde::Serialize;
use std::path::PathBuf;

/// The sample configuration at the root of the repository.
pub(crate) const SAMPLE: &str = "samplconfig.toml";

/// The upgrade to rehearse.
#[derive(Debug, Args)]
pub struct RehearseUpgradeArgs {
    /// The version to upgrade to, such as 1.4.14.
    #[arg(long, value_name = "VERSION")]
    pub to: Version,
    /// How to rehearse it.
    #[command(flatten)]
    pub rehearsal: RehearsalArgs,
}

/// The change of size to rehearse.
#[derive(Debug, Args)]
pub struct RehearseScaleArgs {
    /// The number of members that the fleet is to have.
    #[arg(long, value_name = "MEMBERS")]
    pub to: u32,
    /// How to rehearse it.
    #[command(flatten)]
    pub rehearsal: RehearsalArgs,
}

/// How to rehearse a run, and how to print the outcome.
#[derive(Debug, Args)]
pub struct RehearsalArgs {
    /// The fleet's configuration file.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// The number of members at the start, instead of `fleet.size` in the configuration.
    #[arg(long, value_name = "N")]
    pub size: Option<u32>,
    /// The seed from which latencies are drawn, instead of `rehearsal.seed` in the configuration.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A fault to inject, such as `migrate-fails` or `create-the-builder/RunInstances#1/answer-lost`. Repeat the option
    /// for several faults.
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<FaultSpec>,
    /// Search for faults: rehearse each fault at each call site, then several faults at once. Exit status 1 if an invariant
    /// did not hold in any rehearsal.
    #[arg(long, value_enum, conflicts_with = "fault")]
    pub faults: Option<Faults>,
    /// The number of rehearsals with several faults at once.
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "faults")]
    pub seeds: u64,
    /// Write an HTML page to this file that draws the run: steps, members in service and requests over time.
    #[arg(long, value_name = "FILE", conflicts_with = "faults")]
    pub report: Option<PathBuf>,
    /// Rehearse in a world where every wait takes seconds, and ask for approval.
    #[arg(long, alias = "brisk")]
    pub fast_world: bool,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// The faults that a fault search covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Faults {
    /// Every fault at every call site, every world fault, and combinations.
    All,
}

/// The trace to replay, the policy, and how to print the outcome.
#[derive(Debug, Args)]
pub struct AutoscalingArgs {
    /// Request counts: a CSV file with the columns `timestamp` (`YYYY-MM-DD HH:MM:SS` in UTC, or RFC 3339) and `value`, one
    /// row for each step of time.
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// The requests per second that one member serves at 100 % CPU. By default, so many that `scaling.max` members keep the
    /// target in 99 of 100 steps.
    #[arg(long, value_name = "RPS", value_parser = requests_per_second)]
    pub per_member: Option<f64>,
    /// The policy that decides the fleet's size. AWS target tracking and a fleet that knows the future are always replayed
    /// too.
    #[arg(long, value_enum, default_value_t = PolicyName::Ours)]
    pub policy: PolicyName,
    /// The fleet's configuration file.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// The seed from which latencies and noise are drawn, instead of `rehearsal.seed` in the configuration.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write an HTML page to this file that draws demand, capacity and CPU over time.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// A policy that decides a fleet's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// Fleetwright's policy, as the fleet's configuration sets it.
    Ours,
    /// AWS target tracking, with the same target.
    TargetTracking,
    /// AWS step scaling, with the steps of AWS's own example.
    Step,
}

fn requests_per_second(text: &str) -> Result<f64, String> {
    let wrong = || format!("'{text}' is not a rate: expected requests per second from 0.000001 to 1000000, such as 25");
    let rate: f64 = text.parse().map_err(|_| wrong())?;
    if (1e-6..=1e6).contains(&rate) { Ok(rate) } else { Err(wrong()) }
}
