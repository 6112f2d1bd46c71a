//! One rehearsal: a world with its faults, the definition and the very steps, from the first instant to the verdict.

use super::clients::Pool;
use super::fault_spec::{FaultSpec, WorldKind};
use super::outcome::{Ending, ending};
use super::pace::Pace;
use super::process::{Beginning, Processes};
use super::steps::Steps;
use super::{NamedFault, RehearsalSpec, START, world};
use crate::lambda::Functions;
use crate::permissions::OPERATOR;
use asl::{Event, Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine};
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

/// What is rehearsed, and what is to go wrong.
#[derive(Clone, Copy)]
pub(super) struct Rehearsal_<'s> {
    pub(super) machine: &'s StateMachine,
    pub(super) plan: &'s RehearsalSpec,
    pub(super) fault_specs: &'s [FaultSpec],
    pub(super) pace: &'s Pace,
    /// What functions may do and nothing else; without it everyone may everything.
    pub(super) permissions: Option<&'s Arc<Permissions>>,
    pub(super) pool: &'s Pool,
}

/// What came of it.
pub(super) struct Played {
    pub(super) simulator: Simulator,
    /// The calls that were made before the run.
    pub(super) calls_before: BTreeMap<String, u64>,
    /// The world at its end.
    pub(super) report: Report,
    pub(super) finished: Finished,
    pub(super) steps: Steps,
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    pub(super) verdict: Verdict,
}

impl Played {
    /// How many were in service at the end.
    pub(super) fn in_service(&self) -> u32 {
        self.report.capacity.series.last().map_or(0, |(_, members)| *members)
    }
}

/// How one execution ended.
pub(super) struct Ended {
    pub(super) run: RunRef,
    pub(super) finished: Finished,
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    /// It did not end: whoever ran it died.
    pub(super) died: bool,
}

impl<'s> Rehearsal_<'s> {
    /// Plays it, with `wrap` between the state machine and the functions.
    pub(super) async fn play(
        &self,
        beginning: Beginning<'_>,
        observer: &mut dyn FnMut(&Event),
        wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
    ) -> Result<Played, String> {
        let (simulator, calls_before) = match beginning {
            Beginning::Own => self.set_up().await?,
            Beginning::Recorded(recorder) => {
                let set_up = self.set_up().await?;
                recorder.starts(&set_up.0);
                set_up
            }
            Beginning::Replayed(start_point) => {
                let to_come = self.faults(&[], &start_point.to_come(self.fault_specs));
                let simulator = Simulator::from_checkpoint(start_point.checkpoint(), to_come);
                simulator.until(start_point.start().time()).await;
                (simulator, start_point.start().calls())
            }
        };
        let run = self.run_ref("")?;

        let functions = Processes::new(wrap(self.functions(&simulator, &run)), &simulator).with(beginning);
        let mut steps = Steps::new(simulator.now().try_into().unwrap_or(START));
        let first = self.execute(&simulator, &run, self.input(), &functions, &mut steps, observer);
        let mut ended = if self.fault_specs.contains(&FaultSpec::World(WorldKind::TwoStarts)) {
            let again = self.run_ref("-again")?;
            let second = self.start(&simulator, &again, &again, self.input());
            let (first, second) = futures_util::future::join(first, second).await;
            vec![first, second]
        } else {
            vec![first.await]
        };
        if !functions.kept_to_recording() {
            return Err(format!("a rehearsal with {:?} is not the one that was taped", self.fault_specs));
        }
        drop(functions);
        if ended.iter().any(|one| one.died) {
            // Whatever else was to go wrong is over when a person comes.
            simulator.disarm_call_faults();
            let later = self.run_ref("-later")?;
            ended.push(self.start(&simulator, &later, &later, self.input()).await);
        }
        let report = simulator.report();
        simulator.disarm_call_faults();
        let (ended, verdict) = self.judge(&simulator, ended).await.map_err(|error| error.to_string())?;
        let Ended { finished, ending, reason, .. } = ended;
        Ok(Played { simulator, calls_before, report, finished, steps, ending, reason, verdict })
    }

    /// The world at its first instant, and what was called to set it up.
    async fn set_up(&self) -> Result<(Simulator, BTreeMap<String, u64>), String> {
        let config = &self.plan.config;
        let faults = self.faults(&self.plan.faults, self.fault_specs);
        let mut simulator = Simulator::new(self.pace.set(world(config)), faults);
        if let Some(permissions) = self.permissions {
            simulator = simulator.under(Arc::clone(permissions));
        }
        let clients = self.pool.take(&simulator, config, "");
        let applied = clients.of(OPERATOR).ledger().create_fleet(&FleetRecord::new(config.clone())).await;
        applied.map_err(|error| error.to_string())?;
        let calls_before = simulator.calls();
        simulator.require_in_service(self.plan.goal.least_in_service(config));
        Ok((simulator, calls_before))
    }

    fn input(&self) -> Value {
        self.plan.goal.input(&self.plan.config)
    }

    fn faults(&self, named: &[NamedFault], fault_specs: &[FaultSpec]) -> Vec<Fault> {
        let member = self.plan.config.fleet.instance_type.as_str();
        let builder = self.plan.config.builder.instance_type.as_str();
        let named = named.iter().map(|fault| fault.fault(member));
        named.chain(fault_specs.iter().filter_map(|fault_spec| fault_spec.fault(member, builder))).collect()
    }

    /// The rehearsal's run, or another of it.
    fn run_ref(&self, which: &str) -> Result<RunRef, String> {
        let id = format!("rehearsal-{}{which}", self.plan.config.rehearsal.seed);
        let id: RunId = id.parse().map_err(|error: fleet::InvalidId| error.to_string())?;
        Ok(RunRef { fleet: self.plan.config.fleet.name.clone(), id })
    }

    fn functions<'a>(&'a self, simulator: &'a Simulator, run: &'a RunRef) -> Functions<'a> {
        let clients = self.pool.take(simulator, &self.plan.config, run.id.as_str());
        Functions::new(move |function| clients.of(function), self.pace.approves_after)
            .with_latency(|| Box::pin(simulator.invocation()))
    }

    /// An execution that nobody watches, and that works on `run`: its own, or one that it takes up.
    pub(super) async fn start(&self, simulator: &Simulator, name: &RunRef, run: &RunRef, input: Value) -> Ended {
        let functions = Processes::new(Box::new(self.functions(simulator, run)), simulator);
        let mut steps = Steps::new(simulator.now().try_into().unwrap_or(START));
        self.execute(simulator, name, input, &functions, &mut steps, &mut |_| {}).await
    }

    async fn execute(
        &self,
        simulator: &Simulator,
        run: &RunRef,
        input: Value,
        functions: &Processes<'_>,
        steps: &mut Steps,
        observer: &mut dyn FnMut(&Event),
    ) -> Ended {
        let execution = self.execution(run, input, simulator);
        let mut observer = |event: &Event| {
            steps.see(event);
            observer(event);
        };
        let finished = {
            let going = pin!(asl::run(self.machine, execution, functions, &mut observer));
            let died = pin!(functions.forgotten());
            match futures_util::future::select(going, died).await {
                futures_util::future::Either::Left((finished, _)) => Some(finished),
                futures_util::future::Either::Right(((), _)) => None,
            }
        };
        let run = run.clone();
        match finished {
            Some(finished) => {
                let (ending, reason) = ending(self.plan.goal, &finished, &steps.all);
                Ended { run, finished, ending, reason, died: false }
            }
            None => {
                let cause = "its execution stopped for good".to_owned();
                let failure = Failure { error: "Frozen".to_owned(), cause: cause.clone() };
                let finished = Finished { outcome: Outcome::Failed(failure), transitions: 0, events: 0 };
                Ended { run, finished, ending: Ending::Frozen, reason: Some(cause), died: true }
            }
        }
    }

    fn execution(&self, run: &RunRef, input: Value, simulator: &Simulator) -> Execution {
        let config = &self.plan.config;
        let region = config.fleet.subnets.first().map(|subnet| subnet.zone.region()).unwrap_or_default();
        let account = config.load_balancer.target_group.as_str().split(':').nth(4).unwrap_or_default();
        let arn = |kind: &str, id: &str| format!("arn:aws:states:{region}:{account}:{kind}:{id}");
        let machine = self.plan.goal.definition(config).machine;
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
