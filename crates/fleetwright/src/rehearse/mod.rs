//! A rehearsal: the deployed definition and the very steps, against a simulated AWS, in virtual time.

mod args;
mod clients;
mod cost;
mod fault;
mod fault_spec;
mod goal;
mod judge;
mod ledger_check;
pub mod matrix;
mod outcome;
mod pace;
mod page;
mod process;
mod recording;
mod scaling;
mod stage;
mod steps;
mod text;
mod world;

pub(crate) use args::{AutoscalingArgs, RehearsalArgs, RehearseScaleArgs, RehearseUpgradeArgs, SAMPLE};
pub use fault::NamedFault;
pub use fault_spec::{CallKind, FaultSpec, Site, WorldKind};
pub use goal::Goal;
pub use outcome::{Ending, Rehearsed};
pub use process::{Processes, place};
pub(crate) use scaling::run as scaling;
pub use world::{START, world};

use crate::lambda::Functions;
use crate::output::Output;
use crate::permissions::permissions;
use crate::progress::{Progress, first_line};
use crate::{Exit, Streams};
use asl::{Event, Resources, StateMachine};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use clients::Pool;
use fleet::Config;
use pace::Pace;
use process::Beginning;
use simulator::{Caller, Simulator};
use stage::Rehearsal_;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the simulated person takes to approve.
const APPROVES_AFTER: Duration = Duration::from_secs(300);

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct RehearsalSpec {
    /// The fleet; its `rehearsal` section describes the world.
    pub config: Config,
    /// What the run is for.
    pub goal: Goal,
    /// What is to go wrong.
    pub faults: Vec<NamedFault>,
}

/// Reads the configuration, rehearses, shows what came of it.
pub(crate) fn run(goal: Goal, args: &RehearsalArgs, streams: &mut Streams<'_>) -> Exit {
    let file = args.config.display();
    let (plan, pace) = match plan(goal, args) {
        Ok(planned) => planned,
        Err(problem) => {
            streams.talk(format!("error: {file}: {problem}"));
            return Exit::BadInput;
        }
    };
    if args.faults.is_some() {
        return every_fault(args, plan, streams);
    }
    let mut progress = Progress::new(goal.steps(&plan.config), streams);
    let rehearsed = with_faults(&plan, &args.fault, &pace, &mut |event| progress.see(event));
    progress.end();
    let rehearsed = match rehearsed {
        Ok(rehearsed) => rehearsed,
        Err(problem) => {
            streams.talk(format!("error: {problem}"));
            return Exit::Error;
        }
    };
    if let Some(reason) = rehearsed.reason.as_ref().filter(|_| rehearsed.outcome == Ending::Refused) {
        let names_a_setting = reason.split(':').next().is_some_and(|field| field.contains('.'));
        streams.talk(if names_a_setting { format!("refused: {file}: {reason}") } else { format!("refused: {reason}") });
    }
    if let Some(file) = &args.report {
        let page = page::page(&rehearsed, plan.config.rehearsal.requests_per_second);
        if let Err(problem) = std::fs::write(file, page) {
            streams.talk(format!("error: {}: {problem}", file.display()));
            return Exit::Error;
        }
    }
    match args.output {
        Output::Json => match serde_json::to_string_pretty(&rehearsed) {
            Ok(json) => streams.data(json),
            Err(error) => streams.talk(format!("error: {error}")),
        },
        Output::Text => streams.data(text::render(&rehearsed).trim_end()),
    }
    rehearsed.exit()
}

/// Rehearses with the faults that were named. If the last of them is the one that must pass, it is held against the same
/// without it, as the search for faults does.
fn with_faults(
    plan: &RehearsalSpec,
    fault_specs: &[FaultSpec],
    pace: &Pace,
    observer: &mut dyn FnMut(&Event),
) -> Result<Rehearsed, String> {
    let mut rehearsed = stage(plan, fault_specs, pace, observer, |functions| Box::new(functions))?;
    if let Some((last, others)) = fault_specs.split_last()
        && last.passes()
        && !others.iter().any(FaultSpec::passes)
    {
        rehearsed.must_end_like(&stage(plan, others, pace, &mut |_| {}, |functions| Box::new(functions))?);
    }
    Ok(rehearsed)
}

/// `--faults all`: not one rehearsal, but one for each fault, and some with several.
fn every_fault(args: &RehearsalArgs, plan: RehearsalSpec, streams: &mut Streams<'_>) -> Exit {
    let mut options = String::new();
    if args.config != Path::new(SAMPLE) {
        options.push_str(&format!(" --config {}", quoted(&args.config.display().to_string())));
    }
    if let Some(size) = args.size {
        options.push_str(&format!(" --size {size}"));
    }
    let search = matrix::Search::new(&plan, args.seeds).with_options(&options);
    let matrix = match search.run(&mut |text| streams.talk(text)) {
        Ok(matrix) => matrix,
        Err(problem) => {
            streams.talk(format!("error: {problem}"));
            return Exit::Error;
        }
    };
    match args.output {
        Output::Json => match serde_json::to_string_pretty(&matrix) {
            Ok(json) => streams.data(json),
            Err(error) => streams.talk(format!("error: {error}")),
        },
        Output::Text => streams.data(matrix.render().trim_end()),
    }
    if matrix.violations.is_empty() { Exit::Done } else { Exit::Error }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn plan(goal: Goal, args: &RehearsalArgs) -> Result<(RehearsalSpec, Pace), String> {
    let text = std::fs::read_to_string(&args.config).map_err(|error| error.to_string())?;
    let mut config = Config::from_toml(&text).map_err(|error| error.to_string())?;
    if let Some(size) = args.size {
        config.fleet.size = size;
    }
    if let Some(seed) = args.seed {
        config.rehearsal.seed = seed;
    }
    config.check().map_err(|error| error.to_string())?;
    if goal == (Goal::Scale { to: config.fleet.size }) {
        return Err(format!("fleet.size: the fleet has {} members already: name another size", config.fleet.size));
    }
    let (config, pace) = if args.brisk { (pace::brisk(config), Pace::brisk()) } else { (config, Pace::real()) };
    Ok((RehearsalSpec { config, goal, faults: Vec::new() }, pace))
}

/// Runs a future on a clock that stands still while there is work and leaps while all wait.
///
/// # Errors
/// When the runtime cannot be built.
pub fn in_virtual_time<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(future))
}

/// Rehearses one run. The same plan gives the same answer, byte for byte.
///
/// # Errors
/// When the rehearsal itself cannot be set up; whatever happens to the run is an outcome, not an error.
pub fn rehearse(plan: &RehearsalSpec, observer: &mut dyn FnMut(&Event)) -> Result<Rehearsed, String> {
    rehearse_through(plan, observer, |functions| Box::new(functions))
}

/// The same, with `wrap` between the state machine and the functions, where a test can meddle.
///
/// # Errors
/// As [`rehearse`].
pub fn rehearse_through(
    plan: &RehearsalSpec,
    observer: &mut dyn FnMut(&Event),
    wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
) -> Result<Rehearsed, String> {
    stage(plan, &[], &Pace::real(), observer, wrap)
}

fn stage(
    plan: &RehearsalSpec,
    fault_specs: &[FaultSpec],
    pace: &Pace,
    observer: &mut dyn FnMut(&Event),
    wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
) -> Result<Rehearsed, String> {
    let machine = plan.goal.definition(&plan.config);
    let machine = StateMachine::parse(machine.text).map_err(|invalid| invalid.to_string())?;
    let permissions = Arc::new(permissions(&plan.config)?);
    let pool = Pool::default();
    let stage = Rehearsal_ { machine: &machine, plan, fault_specs, pace, permissions: Some(&permissions), pool: &pool };
    let played = in_virtual_time(stage.play(Beginning::Own, observer, wrap)).map_err(|error| error.to_string())??;
    Ok(Rehearsed::new(plan, fault_specs, pace, played))
}

/// What the SDK's clients need to call the simulated AWS.
pub fn sdk_config(simulator: &Simulator, config: &Config, caller: Caller) -> SdkConfig {
    let credentials = Credentials::from_keys("AKIDREHEARSAL", "rehearsal", None);
    let unsigned = unsigned_config(simulator.http_client(caller), simulator.time_source(), config);
    unsigned.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

/// The same for clients that need not sign, which is a fifth of what a call costs.
fn unsigned_config(http: SharedHttpClient, clock: SharedTimeSource, config: &Config) -> SdkConfig {
    let region = config.fleet.subnets.first().map(|subnet| Region::new(subnet.zone.region().to_owned()));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .time_source(clock)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// Why an execution failed, without Lambda's wrapping.
fn reason(failure: &asl::Failure) -> String {
    first_line(&failure.cause)
}
