//! One rehearsal: it sets up a simulated world with its faults, executes the state machine with the deployed steps, and
//! judges the end.

use super::clients::ClientPool;
use super::fault_spec::WorldKind;
use super::outcome::{Ending, ending};
use super::process::{Processes, RecordingMode};
use super::steps::Steps;
use super::{FaultSpec, RehearsalError, RehearsalSpec, START, world};
use crate::lambda::Functions;
use crate::permissions::{OPERATOR, permissions};
use asl::{Event, Execution, Failure, Finished, Limits, Outcome, StateMachine};
use fleet::{FleetRecord, RunId, RunRef};
use serde_json::Value;
use simulator::Simulator;
use simulator::faults::Fault;
use simulator::iam::Permissions;
use simulator::invariants::Verdict;
use simulator::report::Report;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

/// What all rehearsals of one goal and one configuration share.
pub(super) struct Shared {
    machine: StateMachine,
    /// The calls that the functions may make; none if all calls are allowed.
    permissions: Option<Arc<Permissions>>,
}

impl Shared {
    /// Loads the definition and the permissions.
    pub(super) fn new(spec: &RehearsalSpec) -> Result<Self, RehearsalError> {
        let machine = StateMachine::parse(spec.goal.definition(&spec.config).text)?;
        let permissions = match spec.enforces_permissions {
            true => Some(Arc::new(permissions(&spec.config)?)),
            false => None,
        };
        Ok(Self { machine, permissions })
    }
}

/// A rehearsal that is about to run.
#[derive(Clone, Copy)]
pub(super) struct Rehearsal<'s> {
    pub(super) spec: &'s RehearsalSpec,
    pub(super) shared: &'s Shared,
    pub(super) pool: &'s ClientPool,
}

/// A rehearsal that has run, before it is put into figures.
pub(super) struct Completed {
    pub(super) simulator: Simulator,
    /// The calls that set up the world, by operation.
    pub(super) calls_before: BTreeMap<String, u64>,
    /// The world when the executions had ended.
    pub(super) report: Report,
    pub(super) finished: Finished,
    pub(super) steps: Steps,
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    pub(super) verdict: Verdict,
}

impl Completed {
    /// How many members were in service at the end.
    pub(super) fn in_service(&self) -> u32 {
        self.report.capacity.series.last().map_or(0, |(_, members)| *members)
    }
}

/// An execution that has ended or died.
pub(super) struct EndedExecution {
    pub(super) run: RunRef,
    pub(super) finished: Finished,
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    /// Whether a fault stopped the execution for good, so that it neither finished nor failed.
    pub(super) died: bool,
}

impl<'s> Rehearsal<'s> {
    /// Runs the rehearsal from its first instant, or from the start point of a recording, to its verdict.
    pub(super) async fn run(
        &self,
        mode: RecordingMode<'_>,
        observer: &mut dyn FnMut(&Event),
    ) -> Result<Completed, RehearsalError> {
        let (simulator, calls_before) = match mode {
            RecordingMode::Off => self.set_up().await?,
            RecordingMode::Record(recorder) => {
                let set_up = self.set_up().await?;
                recorder.start(&set_up.0);
                set_up
            }
            RecordingMode::Replay(start_point) => {
                let remaining = self.faults(&start_point.remaining(&self.spec.faults));
                let simulator = Simulator::from_checkpoint(start_point.checkpoint(), remaining);
                simulator.until(start_point.first_checkpoint().time()).await;
                (simulator, start_point.first_checkpoint().calls())
            }
        };
        let run = self.run_ref("")?;

        let functions = self.spec.intercepted(self.functions(&simulator, &run));
        let processes = Processes::new(functions, &simulator).with_recording(mode);
        let mut steps = Steps::new(simulator.now().try_into().unwrap_or(START));
        let first = self.execute(&simulator, &run, self.input(), &processes, &mut steps, observer);
        let mut ended = if self.spec.faults.contains(&FaultSpec::World(WorldKind::TwoStarts)) {
            let again = self.run_ref("-again")?;
            let second = self.execute_unobserved(&simulator, &again, &again, self.input());
            let (first, second) = futures_util::future::join(first, second).await;
            vec![first, second]
        } else {
            vec![first.await]
        };
        if !processes.kept_to_recording() {
            return Err(RehearsalError::Diverged { faults: self.spec.faults.clone() });
        }
        drop(processes);
        if ended.iter().any(|one| one.died) {
            // The remaining faults are over by the time an operator notices the dead execution and starts another.
            simulator.disarm_call_faults();
            let later = self.run_ref("-later")?;
            ended.push(self.execute_unobserved(&simulator, &later, &later, self.input()).await);
        }
        let report = simulator.report();
        simulator.disarm_call_faults();
        let (ended, verdict) = self.judge(&simulator, ended).await.map_err(RehearsalError::Inspection)?;
        let EndedExecution { finished, ending, reason, .. } = ended;
        Ok(Completed { simulator, calls_before, report, finished, steps, ending, reason, verdict })
    }

    /// The world at its first instant with the fleet in its ledger, and the calls that put it there.
    async fn set_up(&self) -> Result<(Simulator, BTreeMap<String, u64>), RehearsalError> {
        let config = &self.spec.config;
        let mut simulator = Simulator::new(self.spec.pace.set(world(config)), self.faults(&self.spec.faults));
        if let Some(permissions) = &self.shared.permissions {
            simulator = simulator.under(Arc::clone(permissions));
        }
        let clients = self.pool.take(&simulator, config, "");
        let created = clients.of(OPERATOR).ledger().create_fleet(&FleetRecord::new(config.clone())).await;
        created.map_err(RehearsalError::SetUp)?;
        let calls_before = simulator.calls();
        simulator.require_in_service(self.spec.goal.least_in_service(config));
        Ok((simulator, calls_before))
    }

    fn input(&self) -> Value {
        self.spec.goal.input(&self.spec.config)
    }

    fn faults(&self, specs: &[FaultSpec]) -> Vec<Fault> {
        let member = self.spec.config.fleet.instance_type.as_str();
        let builder = self.spec.config.builder.instance_type.as_str();
        specs.iter().filter_map(|spec| spec.fault(member, builder)).collect()
    }

    /// The rehearsal's run, or with a suffix another run of the same rehearsal.
    fn run_ref(&self, suffix: &str) -> Result<RunRef, RehearsalError> {
        let id: RunId = format!("rehearsal-{}{suffix}", self.spec.config.rehearsal.seed).parse()?;
        Ok(RunRef { fleet: self.spec.config.fleet.name.clone(), id })
    }

    fn functions<'a>(&'a self, simulator: &'a Simulator, run: &'a RunRef) -> Functions<'a> {
        let clients = self.pool.take(simulator, &self.spec.config, run.id.as_str());
        Functions::new(move |function| clients.of(function), self.spec.pace.approves_after)
            .with_latency(|| Box::pin(simulator.invocation()))
    }

    /// Executes the state machine without an observer. The execution is called `name` and works on `run`, which differs
    /// from `name` if the execution resumes another run.
    pub(super) async fn execute_unobserved(
        &self,
        simulator: &Simulator,
        name: &RunRef,
        run: &RunRef,
        input: Value,
    ) -> EndedExecution {
        let processes = Processes::new(Box::new(self.functions(simulator, run)), simulator);
        let mut steps = Steps::new(simulator.now().try_into().unwrap_or(START));
        self.execute(simulator, name, input, &processes, &mut steps, &mut |_| {}).await
    }

    async fn execute(
        &self,
        simulator: &Simulator,
        run: &RunRef,
        input: Value,
        processes: &Processes<'_>,
        steps: &mut Steps,
        observer: &mut dyn FnMut(&Event),
    ) -> EndedExecution {
        let execution = self.execution(run, input, simulator);
        let mut observer = |event: &Event| {
            steps.observe(event);
            observer(event);
        };
        let finished = {
            let running = pin!(asl::run(&self.shared.machine, execution, processes, &mut observer));
            let died = pin!(processes.forgotten());
            match futures_util::future::select(running, died).await {
                futures_util::future::Either::Left((finished, _)) => Some(finished),
                futures_util::future::Either::Right(((), _)) => None,
            }
        };
        let run = run.clone();
        match finished {
            Some(finished) => {
                let (ending, reason) = ending(self.spec.goal, &finished, &steps.all);
                EndedExecution { run, finished, ending, reason, died: false }
            }
            None => {
                let cause = "its execution stopped for good".to_owned();
                let failure = Failure { error: "Frozen".to_owned(), cause: cause.clone() };
                let finished = Finished { outcome: Outcome::Failed(failure), transitions: 0, events: 0 };
                EndedExecution { run, finished, ending: Ending::Frozen, reason: Some(cause), died: true }
            }
        }
    }

    fn execution(&self, run: &RunRef, input: Value, simulator: &Simulator) -> Execution {
        let config = &self.spec.config;
        let region = config.fleet.subnets.first().map(|subnet| subnet.zone.region()).unwrap_or_default();
        let account = config.load_balancer.target_group.as_str().split(':').nth(4).unwrap_or_default();
        let arn = |kind: &str, id: &str| format!("arn:aws:states:{region}:{account}:{kind}:{id}");
        let machine = self.spec.goal.definition(config).machine;
        Execution {
            name: run.id.to_string(),
            id: arn("execution", &format!("{machine}:{}", run.id)),
            role: format!("arn:aws:iam::{account}:role/{machine}"),
            state_machine: machine.to_owned(),
            state_machine_id: arn("stateMachine", machine),
            input,
            started: simulator.now().try_into().unwrap_or(START),
            limits: Limits::default(),
        }
    }
}
