//! A rehearsal: the deployed state machine and the deployed steps against the simulated AWS, in virtual time.

mod args;
mod autoscaling;
mod clients;
mod comparison;
mod cost;
mod error;
pub mod fault_search;
mod fault_spec;
mod goal;
mod judge;
mod ledger_check;
mod outcome;
mod pace;
mod page;
mod process;
mod progress;
mod recording;
mod rehearsal;
mod sdk_config;
mod show;
mod spec;
mod step_count;
mod steps;
mod text;
mod world;

pub(crate) use args::{AutoscalingArgs, RehearsalArgs, RehearseScaleArgs, RehearseUpgradeArgs, SAMPLE};
pub(crate) use autoscaling::run as autoscaling;
pub use error::RehearsalError;
pub use fault_spec::{CallKind, FaultSpec, FaultSpecError, Site, WorldKind};
pub use goal::Goal;
pub use outcome::{Ending, Rehearsed};
pub use process::{Processes, place};
pub use sdk_config::sdk_config;
pub use spec::{Interceptor, RehearsalSpec};
pub use world::{START, world};

use crate::{Exit, Streams};
use asl::Event;
use clients::ClientPool;
use comparison::rehearse_and_compare;
use process::RecordingMode;
use progress::Progress;
use rehearsal::{Rehearsal, Shared};

/// Runs the command `rehearse` for one goal: one rehearsal, or with `--faults all` the fault search.
pub(crate) fn run(goal: Goal, args: &RehearsalArgs, streams: &mut Streams<'_>) -> Exit {
    let spec = match RehearsalSpec::read(goal, args) {
        Ok(spec) => spec,
        Err(error) => {
            streams.talk(format!("error: {}: {error}", args.config.display()));
            return Exit::BadInput;
        }
    };
    if args.faults.is_some() {
        return fault_search::command::run(args, &spec, streams);
    }
    let mut progress = Progress::new(step_count::smooth(&spec), streams);
    let rehearsed = rehearse_and_compare(&spec, &mut |event| progress.observe(event));
    progress.end();
    match rehearsed {
        Ok(rehearsed) => show::show(&rehearsed, &spec, args, streams),
        Err(error) => {
            streams.talk(format!("error: {error}"));
            Exit::Error
        }
    }
}

/// Rehearses one run and hands each event of its execution to `observer`. The same specification gives the same result,
/// byte for byte.
///
/// # Errors
/// The rehearsal cannot be set up or judged. Whatever happens to the run is its outcome, not an error.
pub fn rehearse(spec: &RehearsalSpec, observer: &mut dyn FnMut(&Event)) -> Result<Rehearsed, RehearsalError> {
    let shared = Shared::new(spec)?;
    let pool = ClientPool::default();
    let rehearsal = Rehearsal { spec, shared: &shared, pool: &pool };
    let completed = in_virtual_time(rehearsal.run(RecordingMode::Off, observer))??;
    Ok(Rehearsed::new(spec, completed))
}

/// Runs a future in virtual time: the clock stands still while there is work and jumps to the next timer when everything
/// waits.
///
/// # Errors
/// The runtime cannot be built.
pub fn in_virtual_time<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(future))
}
