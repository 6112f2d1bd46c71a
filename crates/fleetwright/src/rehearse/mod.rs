//! A rehearsal: the deployed definition and the very steps, against a simulated AWS, in virtual time.

mod cost;
mod fault;
mod outcome;
mod steps;
mod text;
mod world;

pub use fault::NamedFault;
pub use outcome::{Ending, Rehearsed};
pub use world::{START, world};

use crate::cli::{Output, RehearseUpgrade};
use crate::lambda::Functions;
use crate::permissions::{OPERATOR, permissions};
use crate::progress::{Progress, first_line};
use crate::{Exit, STATE_MACHINE, Streams, TABLE, UPGRADE};
use asl::{Event, Execution, Limits, Resources, StateMachine};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use fleet::{Config, FleetRecord, Version};
use functions::{Aws, StepError};
use serde_json::json;
use simulator::{Caller, Simulator};
use std::time::Duration;
use steps::Steps;

/// How many a smooth upgrade by one hop goes through, for the progress bar.
const STEPS_OF_AN_UPGRADE: u64 = 17;
/// How long the simulated person takes to approve.
const APPROVES_AFTER: Duration = Duration::from_secs(300);

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The fleet; its `rehearsal` section describes the world.
    pub config: Config,
    /// The version to upgrade to.
    pub to: Version,
    /// What is to go wrong.
    pub faults: Vec<NamedFault>,
}

/// `rehearse upgrade`: reads the configuration, rehearses, shows what came of it.
pub(crate) fn upgrade(args: &RehearseUpgrade, streams: &mut Streams<'_>) -> Exit {
    let file = args.config.display();
    let plan = match plan(args) {
        Ok(plan) => plan,
        Err(problem) => {
            streams.talk(format!("error: {file}: {problem}"));
            return Exit::BadInput;
        }
    };
    let mut progress = Progress::new(STEPS_OF_AN_UPGRADE, streams);
    let rehearsed = rehearse(&plan, &mut |event| progress.see(event));
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
    match args.output {
        Output::Json => match serde_json::to_string_pretty(&rehearsed) {
            Ok(json) => streams.data(json),
            Err(error) => streams.talk(format!("error: {error}")),
        },
        Output::Text => streams.data(text::render(&rehearsed).trim_end()),
    }
    rehearsed.exit()
}

fn plan(args: &RehearseUpgrade) -> Result<Plan, String> {
    let text = std::fs::read_to_string(&args.config).map_err(|error| error.to_string())?;
    let mut config = Config::from_toml(&text).map_err(|error| error.to_string())?;
    if let Some(size) = args.size {
        config.fleet.size = size;
    }
    if let Some(seed) = args.seed {
        config.rehearsal.seed = seed;
    }
    config.check().map_err(|error| error.to_string())?;
    Ok(Plan { config, to: args.to, faults: args.fault.clone() })
}

/// Runs a future on a clock that stands still while there is work and leaps while all wait.
///
/// # Errors
/// When the runtime cannot be built.
pub fn in_virtual_time<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(future))
}

/// Rehearses one upgrade. The same plan gives the same answer, byte for byte.
///
/// # Errors
/// When the rehearsal itself cannot be set up; whatever happens to the run is an outcome, not an error.
pub fn rehearse(plan: &Plan, observer: &mut dyn FnMut(&Event)) -> Result<Rehearsed, String> {
    rehearse_through(plan, observer, |functions| Box::new(functions))
}

/// The same, with `wrap` between the state machine and the functions, where a test can meddle.
///
/// # Errors
/// As [`rehearse`].
pub fn rehearse_through(
    plan: &Plan,
    observer: &mut dyn FnMut(&Event),
    wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
) -> Result<Rehearsed, String> {
    in_virtual_time(play(plan, observer, wrap)).map_err(|error| error.to_string())?
}

async fn play(
    plan: &Plan,
    observer: &mut dyn FnMut(&Event),
    wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
) -> Result<Rehearsed, String> {
    let machine = StateMachine::parse(UPGRADE).map_err(|invalid| invalid.to_string())?;
    let member_type = plan.config.fleet.instance_type.as_str();
    let faults = plan.faults.iter().map(|fault| fault.fault(member_type)).collect();
    let simulator = Simulator::new(world(&plan.config), faults).under(permissions(&plan.config)?);
    let run = format!("rehearsal-{}", plan.config.rehearsal.seed);
    let connect = |function: &str| connect(&simulator, &plan.config, &run, function);

    let applied = connect(OPERATOR).ledger().create_fleet(&FleetRecord::new(plan.config.clone())).await;
    applied.map_err(|error: StepError| error.to_string())?;
    let set_up = simulator.report();

    let functions = Functions::new(connect, APPROVES_AFTER).with_latency(|| Box::pin(simulator.invocation()));
    let functions = wrap(functions);
    let execution = execution(plan, &run, &simulator);
    let mut steps = Steps::new(execution.started);
    let finished = asl::run(&machine, execution, functions.as_ref(), &mut |event| {
        steps.see(event);
        observer(event);
    })
    .await;
    Ok(Rehearsed::new(plan, &run, &simulator, &set_up, finished, steps))
}

fn execution(plan: &Plan, run: &str, simulator: &Simulator) -> Execution {
    let world = world(&plan.config);
    let arn = |kind: &str, id: &str| format!("arn:aws:states:{}:{}:{kind}:{id}", world.region, world.account);
    Execution {
        name: run.to_owned(),
        id: arn("execution", &format!("{STATE_MACHINE}:{run}")),
        role: format!("arn:aws:iam::{}:role/{STATE_MACHINE}", world.account),
        state_machine: STATE_MACHINE.to_owned(),
        state_machine_id: arn("stateMachine", STATE_MACHINE),
        input: json!({"fleet": plan.config.fleet.name, "to": plan.to}),
        started: simulator.now().try_into().unwrap_or(START),
        limits: Limits::default(),
    }
}

/// A function's clients, which know nothing of being rehearsed.
fn connect(simulator: &Simulator, config: &Config, run: &str, function: &str) -> Aws {
    let caller = Caller { run: run.to_owned(), function: function.to_owned() };
    Aws::new(&sdk_config(simulator, config, caller), TABLE)
}

/// What the SDK's clients need to call the simulated AWS.
pub fn sdk_config(simulator: &Simulator, config: &Config, caller: Caller) -> SdkConfig {
    let region = config.fleet.subnets.first().map(|subnet| Region::new(subnet.zone.region().to_owned()));
    let credentials = Credentials::from_keys("AKIDREHEARSAL", "rehearsal", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(simulator.http_client(caller))
        .time_source(simulator.time_source())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// Why an execution failed, without Lambda's wrapping.
fn reason(failure: &asl::Failure) -> String {
    first_line(&failure.cause)
}
