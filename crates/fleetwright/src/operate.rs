//! The commands that work with the deployed stack. They go through Step Functions, the ledger and functions that only read,
//! so an operator needs no rights on EC2.

mod alarms;
pub(crate) mod answer;
pub(crate) mod apply;
pub(crate) mod doctor;
pub(crate) mod golden_image;
pub(crate) mod history;
pub(crate) mod images;
pub(crate) mod plan;
pub(crate) mod release;
pub(crate) mod repair;
pub(crate) mod revert;
pub(crate) mod scale;
mod schedule;
mod shown_run;
mod stack;
pub(crate) mod status;
mod stop;
pub(crate) mod upgrade;
pub(crate) mod watch;

use crate::length::parse_span;
use crate::output::Output;
use crate::{Exit, Streams};
use clap::Args;
use fleet::{FleetName, RunId, Span};
use serde::Serialize;
pub(crate) use stop::Stop;

/// The fleet to work with.
#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// The run to work with.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The run. By default, the one that holds the fleet's lock, or else the last one.
    run: Option<RunId>,
    /// The fleet's name.
    #[arg(long, value_name = "NAME", env = "FLEETWRIGHT_FLEET")]
    fleet: FleetName,
}

/// How to watch a run.
#[derive(Debug, Args)]
pub(crate) struct WatchOptions {
    /// How long to watch, such as 90s or 2h; exit status 5 if the run is still running then. By default, until the run ends.
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    timeout: Option<Span>,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs a command to its end; if it stops early, says why on standard error.
pub(crate) fn run(
    streams: &mut Streams<'_>,
    command: impl AsyncFnOnce(&mut Streams<'_>) -> Result<Exit, Stop>,
) -> Exit {
    match runtime().and_then(|runtime| runtime.block_on(command(streams))) {
        Ok(exit) => exit,
        Err(stop) => {
            streams.talk(&stop);
            stop.exit
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Stop::error(format!("the async runtime does not start: {error}")))
}

/// Prints a result in the form that the operator chose.
fn show<T: Serialize>(
    streams: &mut Streams<'_>,
    output: Output,
    result: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Stop> {
    match output {
        Output::Text => streams.data(text(result).trim_end()),
        Output::Json => {
            let json = serde_json::to_string_pretty(result);
            streams.data(json.map_err(|error| Stop::error(error.to_string()))?);
        }
    }
    Ok(())
}
