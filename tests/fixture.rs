//! A fleet in a simulated AWS. Tests run executions of the state machines on it.

use asl::{Execution, Finished, Limits, Resources, StateMachine};
use aws_types::SdkConfig;
use fleet::{Config, Finding, FleetRecord, ImageId, Remedy, Run, RunRef};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::permissions::permissions;
use fleetwright::rehearse::{START, sdk_config, world};
use functions::{Aws, Step};
use serde_json::{Value, json};
use simulator::faults::Fault;
use simulator::invariants::{Settled, SettledAs, Violation};
use simulator::world::{Work, World};
use simulator::{Caller, Simulator};
use std::time::Duration;

const CONSOLE: &str = "console";

/// The fleet's configuration, the simulated AWS and the state machines.
pub(crate) struct Fixture {
    pub(crate) config: Config,
    pub(crate) simulator: Simulator,
    /// Executes upgrades, reverts and restores.
    pub(crate) machine: StateMachine,
    pub(crate) scale_out: StateMachine,
    pub(crate) scale_in: StateMachine,
    pub(crate) golden_image: StateMachine,
}

impl Fixture {
    /// The sample fleet, recorded in the ledger.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, Vec::new()).await
    }

    /// The sample fleet with a changed configuration. The simulated AWS injects `faults`.
    pub(crate) async fn with(change: impl FnOnce(&mut Config), faults: Vec<Fault>) -> Self {
        Self::with_work(change, faults, Vec::new()).await
    }

    /// Like [`Fixture::with`]; `work` is the CPU load of the members over time.
    pub(crate) async fn with_work(change: impl FnOnce(&mut Config), faults: Vec<Fault>, work: Vec<Work>) -> Self {
        let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
        change(&mut config);
        let simulator = Simulator::new(World { work, ..world(&config) }, faults);
        let mut permissions = permissions(&config).unwrap();
        let everything =
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        permissions.add(CONSOLE, "arn:aws:iam::123456789012:user/console", &everything).unwrap();
        let simulator = simulator.under(permissions);
        let [machine, scale_out, scale_in, golden_image] =
            Definition::ALL.map(|one| StateMachine::parse(one.text).unwrap());
        let fixture = Self { config, simulator, machine, scale_out, scale_in, golden_image };
        let record = FleetRecord::new(fixture.config.clone());
        assert!(fixture.aws("operator").ledger().create_fleet(&record).await.unwrap());
        fixture
    }

    /// The clients of a function that works for no run.
    pub(crate) fn aws(&self, function: &str) -> Aws {
        self.aws_of("", function)
    }

    /// The clients of a function that works for a run.
    fn aws_of(&self, run: &str, function: &str) -> Aws {
        let caller = Caller { run: run.to_owned(), function: function.to_owned() };
        Aws::new(&sdk_config(&self.simulator, &self.config, caller), "fleetwright")
    }

    /// Clients for reading the state of the simulated AWS. All calls are allowed.
    pub(crate) fn reader(&self) -> Aws {
        let caller = Caller { run: String::new(), function: "anyone".to_owned() };
        Aws::new(&sdk_config(&self.simulator.fork_allowing_all(), &self.config, caller), "fleetwright")
    }

    /// The SDK configuration of an operator at the AWS console. All calls are allowed, and they belong to no run.
    pub(crate) fn console(&self) -> SdkConfig {
        sdk_config(&self.simulator, &self.config, Caller { run: String::new(), function: CONSOLE.to_owned() })
    }

    /// The steps of a run. An operator approves the run after five minutes.
    pub(crate) fn functions(&self, run: &str) -> Functions<'_> {
        let run = run.to_owned();
        Functions::new(move |function| self.aws_of(&run, function), Duration::from_secs(300))
    }

    /// Runs an execution of the upgrade's state machine to its end.
    pub(crate) async fn execute(&self, name: &str, input: Value, resources: &dyn Resources) -> Finished {
        self.execute_by(&self.machine, name, input, resources).await
    }

    /// Runs an execution of a state machine to its end.
    pub(crate) async fn execute_by(
        &self,
        machine: &StateMachine,
        name: &str,
        input: Value,
        resources: &dyn Resources,
    ) -> Finished {
        asl::run(machine, self.execution(name, input), resources, &mut |_| {}).await
    }

    fn execution(&self, name: &str, input: Value) -> Execution {
        Execution {
            name: name.to_owned(),
            id: format!("arn:aws:states:eu-central-1:123456789012:execution:fleetwright-upgrade:{name}"),
            role: "arn:aws:iam::123456789012:role/fleetwright-upgrade".to_owned(),
            state_machine: "fleetwright-upgrade".to_owned(),
            state_machine_id: "arn:aws:states:eu-central-1:123456789012:stateMachine:fleetwright-upgrade".to_owned(),
            input,
            started: self.simulator.now().try_into().unwrap_or(START),
            limits: Limits::default(),
        }
    }

    /// Runs an execution of the upgrade's state machine with the deployed steps. Returns `succeeded`, or `ERROR:
    /// CAUSE`.
    pub(crate) async fn run(&self, name: &str, input: Value) -> String {
        self.run_by(&self.machine, name, input).await
    }

    /// Like [`Fixture::run`], with another state machine.
    pub(crate) async fn run_by(&self, machine: &StateMachine, name: &str, input: Value) -> String {
        // An execution that resumes a run works in the name of that run, not in its own.
        let run = input["repair"].as_str().unwrap_or(name).to_owned();
        let finished = self.execute_by(machine, name, input, &self.functions(&run)).await;
        match finished.outcome {
            asl::Outcome::Succeeded(_) => "succeeded".to_owned(),
            asl::Outcome::Failed(failure) => format!("{}: {}", failure.error, failure.cause),
        }
    }

    /// The fleet's record in the ledger.
    pub(crate) async fn fleet(&self) -> FleetRecord {
        self.reader().ledger().fleet(&self.config.fleet.name).await.unwrap().unwrap().record
    }

    /// The golden image of the fleet's first record.
    pub(crate) fn first_image(&self) -> ImageId {
        self.config.fleet.golden_image.clone().unwrap()
    }

    /// A run's record in the ledger.
    pub(crate) async fn record(&self, id: &str) -> Run {
        self.reader().ledger().run(&self.run_ref(id)).await.unwrap().unwrap().record
    }

    /// The key of a run of this fleet.
    pub(crate) fn run_ref(&self, id: &str) -> RunRef {
        RunRef { fleet: self.config.fleet.name.clone(), id: id.parse().unwrap() }
    }

    /// What does not hold after `run` ended as `outcome`.
    pub(crate) async fn violations(&self, run: &str, outcome: SettledAs) -> Vec<Violation> {
        let fleet = self.fleet().await;
        let golden = fleet.golden.into_iter().map(|golden| golden.image);
        let kept =
            fleet.images.into_iter().map(|kept| kept.image).chain(golden).map(|image| image.to_string()).collect();
        let record = self.reader().ledger().run(&self.run_ref(run)).await.unwrap();
        let joined = record.into_iter().flat_map(|run| run.record.joined).map(|run| run.to_string()).collect();
        self.simulator.check(&Settled { outcome, run: run.to_owned(), kept, joined }).violated
    }

    /// What `fleetwright doctor` finds, as text.
    pub(crate) async fn findings(&self) -> Vec<String> {
        self.diagnosis().await.into_iter().map(|finding| finding.what).collect()
    }

    /// The findings that a repair fixes, as text.
    pub(crate) async fn repairable_findings(&self) -> Vec<String> {
        let findings = self.diagnosis().await.into_iter().filter(|finding| finding.remedy == Remedy::Repair);
        findings.map(|finding| finding.what).collect()
    }

    async fn diagnosis(&self) -> Vec<Finding> {
        let observe = Step::named("observe").unwrap();
        let input = json!({"fleet": self.config.fleet.name});
        let observed = observe.invoke(&self.aws("observe"), input).await.unwrap();
        let observed = serde_json::from_value(observed).unwrap();
        fleet::diagnose(&self.fleet().await, &observed, &[])
    }
}
