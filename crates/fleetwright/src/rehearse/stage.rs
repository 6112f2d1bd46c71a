//! One rehearsal: a world with its faults, the definition and the very steps, from the first instant to the verdict.

use super::mishap::{Mishap, WorldKind};
use super::outcome::{Ending, ending, settling};
use super::pace::Pace;
use super::process::Processes;
use super::steps::Steps;
use super::{Plan, START, books, connect, world};
use crate::STATE_MACHINE;
use crate::lambda::Functions;
use crate::permissions::{OPERATOR, permissions};
use asl::{Event, Execution, Failure, Finished, Limits, Outcome, Resources, StateMachine};
use fleet::{FleetRecord, Phase, Refusal, RunId, RunRef};
use functions::StepError;
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::invariants::{Settled, Verdict, Violation};
use simulator::report::Report;
use std::collections::BTreeMap;
use std::pin::pin;

/// What is rehearsed, and what is to go wrong.
#[derive(Clone, Copy)]
pub(super) struct Stage<'s> {
    pub(super) machine: &'s StateMachine,
    pub(super) plan: &'s Plan,
    pub(super) mishaps: &'s [Mishap],
    pub(super) pace: &'s Pace,
    /// Whether functions may do what the template lets them and nothing else.
    pub(super) guarded: bool,
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

/// How one execution ended.
struct Ended {
    run: RunRef,
    finished: Finished,
    ending: Ending,
    reason: Option<String>,
    /// It did not end: whoever ran it died.
    died: bool,
}

impl<'s> Stage<'s> {
    /// Plays it, with `wrap` between the state machine and the functions.
    pub(super) async fn play(
        &self,
        observer: &mut dyn FnMut(&Event),
        wrap: impl for<'a> FnOnce(Functions<'a>) -> Box<dyn Resources + 'a>,
    ) -> Result<Played, String> {
        let config = &self.plan.config;
        let mut simulator = Simulator::new(self.pace.set(world(config)), self.faults());
        if self.guarded {
            simulator = simulator.under(permissions(config)?);
        }
        let id = format!("rehearsal-{}", config.rehearsal.seed);
        let run = self.run_ref(&id)?;
        let again = self.run_ref(&format!("{id}-again"))?;

        let applied =
            connect(&simulator, config, "", OPERATOR).ledger().create_fleet(&FleetRecord::new(config.clone())).await;
        applied.map_err(said)?;
        let calls_before = simulator.calls();

        let functions = Processes { functions: wrap(self.functions(&simulator, &run)), simulator: &simulator };
        let others = Processes { functions: Box::new(self.functions(&simulator, &again)), simulator: &simulator };
        let mut steps = Steps::new(simulator.now().try_into().unwrap_or(START));
        let mut nobody = |_: &Event| {};
        let first = self.execute(&simulator, &run, self.upgrade(), &functions, &mut steps, observer);
        let (first, second) = if self.mishaps.contains(&Mishap::World(WorldKind::TwoStarts)) {
            let mut other_steps = Steps::new(simulator.now().try_into().unwrap_or(START));
            let second = self.execute(&simulator, &again, self.upgrade(), &others, &mut other_steps, &mut nobody);
            let (first, second) = futures_util::future::join(first, second).await;
            (first, Some(second))
        } else {
            let first = first.await;
            if first.died {
                // Whatever else was to go wrong is over when a person comes.
                simulator.heal();
                let mut other_steps = Steps::new(simulator.now().try_into().unwrap_or(START));
                let second =
                    self.execute(&simulator, &again, self.upgrade(), &others, &mut other_steps, &mut nobody).await;
                (first, Some(second))
            } else {
                (first, None)
            }
        };
        let report = simulator.report();
        drop((functions, others));
        simulator.heal();
        let (ended, verdict) = self.judge(&simulator, first, second).await.map_err(said)?;
        let Ended { finished, ending, reason, .. } = ended;
        Ok(Played { simulator, calls_before, report, finished, steps, ending, reason, verdict })
    }

    fn upgrade(&self) -> Value {
        json!({"fleet": self.plan.config.fleet.name, "to": self.plan.to})
    }

    fn faults(&self) -> Vec<simulator::faults::Fault> {
        let member = self.plan.config.fleet.instance_type.as_str();
        let builder = self.plan.config.builder.instance_type.as_str();
        let named = self.plan.faults.iter().map(|fault| fault.fault(member));
        named.chain(self.mishaps.iter().filter_map(|mishap| mishap.fault(member, builder))).collect()
    }

    fn run_ref(&self, id: &str) -> Result<RunRef, String> {
        let id: RunId = id.parse().map_err(|error: fleet::InvalidId| error.to_string())?;
        Ok(RunRef { fleet: self.plan.config.fleet.name.clone(), id })
    }

    fn functions<'a>(&'a self, simulator: &'a Simulator, run: &'a RunRef) -> Functions<'a> {
        let connect = |function: &str| connect(simulator, &self.plan.config, run.id.as_str(), function);
        Functions::new(connect, self.pace.approves_after).with_latency(|| Box::pin(simulator.invocation()))
    }

    async fn execute(
        &self,
        simulator: &Simulator,
        run: &RunRef,
        input: Value,
        functions: &dyn Resources,
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
            let died = pin!(simulator.orchestrator_died());
            match futures_util::future::select(going, died).await {
                futures_util::future::Either::Left((finished, _)) => Some(finished),
                futures_util::future::Either::Right(((), _)) => None,
            }
        };
        let run = run.clone();
        match finished {
            Some(finished) => {
                let (ending, reason) = ending(&finished, &steps.all);
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
        Execution {
            name: run.id.to_string(),
            id: arn("execution", &format!("{STATE_MACHINE}:{}", run.id)),
            role: format!("arn:aws:iam::{account}:role/{STATE_MACHINE}"),
            state_machine: STATE_MACHINE.to_owned(),
            state_machine_id: arn("stateMachine", STATE_MACHINE),
            input,
            started: simulator.now().try_into().unwrap_or(START),
            limits: Limits::default(),
        }
    }

    /// What the two executions, or the one, came to together, and whether the invariants hold.
    async fn judge(
        &self,
        simulator: &Simulator,
        first: Ended,
        second: Option<Ended>,
    ) -> Result<(Ended, Verdict), StepError> {
        let aws = connect(&simulator.unguarded(), &self.plan.config, "", "check");
        let mut breaches = Vec::new();
        let ended = match second {
            None => first,
            Some(second) if !first.died => {
                if first.ending == Ending::Refused {
                    second
                } else {
                    first
                }
            }
            Some(second) => {
                let fleet = aws.ledger().fleet(&first.run.fleet).await?.map(|read| read.record);
                let lock = fleet.and_then(|fleet| fleet.lock);
                if let Some(lock) = lock.filter(|lock| lock.run == first.run.id) {
                    let locked = Refusal::Locked { fleet: first.run.fleet.clone(), run: lock.run }.to_string();
                    if second.ending != Ending::Refused || second.reason.as_ref() != Some(&locked) {
                        let detail = format!(
                            "a start after the execution died was not refused with '{locked}', but {:?}: {:?}",
                            second.ending, second.reason
                        );
                        breaches.push(Violation { invariant: "a-dead-run-keeps-its-fleet", detail });
                    }
                    let reason = format!("its execution stopped for good; a start after it is refused: {locked}");
                    let first = Ended { reason: Some(reason), ..first };
                    breaches.extend(self.repair(simulator, &first).await?);
                    let kept = books::kept(&aws, &first.run).await?;
                    let verdict = self.verdict(simulator, &first, breaches, kept);
                    return Ok((first, verdict));
                }
                let record = aws.ledger().run(&first.run).await?.map(|read| read.record);
                match (second.ending, record.map(|record| record.phase)) {
                    // It died after its last write.
                    (Ending::Unchanged, Some(Phase::Ended(fleet::Outcome::Upgraded))) => {
                        Ended { ending: Ending::Upgraded, reason: None, ..first }
                    }
                    _ => second,
                }
            }
        };
        breaches.extend(books::check(&aws, &ended.run, self.plan.to, ended.ending).await?);
        if ended.ending == Ending::Frozen {
            breaches.extend(self.repair(simulator, &ended).await?);
        }
        let kept = books::kept(&aws, &ended.run).await?;
        let verdict = self.verdict(simulator, &ended, breaches, kept);
        Ok((ended, verdict))
    }

    /// A person has a dead or frozen run taken up, in a world of its own: it must come to an end, and well. Who died
    /// stays dead, and an old member that is missed keeps a run from turning back.
    async fn repair(&self, simulator: &Simulator, frozen: &Ended) -> Result<Vec<Violation>, StepError> {
        if self.mishaps.iter().any(|mishap| matches!(mishap, Mishap::World(WorldKind::MemberDies(_)))) {
            return Ok(Vec::new());
        }
        let fork = simulator.fork();
        let functions = Processes { functions: Box::new(self.functions(&fork, &frozen.run)), simulator: &fork };
        let name = self.run_ref(&format!("{}-repair", frozen.run.id)).map_err(StepError::Failed)?;
        let input = json!({"fleet": frozen.run.fleet, "repair": frozen.run.id, "dead": "as this rehearsal has it"});
        let mut steps = Steps::new(fork.now().try_into().unwrap_or(START));
        let repaired = self.execute(&fork, &name, input, &functions, &mut steps, &mut |_| {}).await;
        if !matches!(repaired.ending, Ending::Upgraded | Ending::RolledBack) {
            let detail = format!("repairing it ended as {:?}: {:?}", repaired.ending, repaired.reason);
            return Ok(vec![Violation { invariant: "what-is-frozen-can-be-repaired", detail }]);
        }
        let aws = connect(&fork.unguarded(), &self.plan.config, "", "check");
        let mut breaches = books::check(&aws, &frozen.run, self.plan.to, repaired.ending).await?;
        let kept = books::kept(&aws, &frozen.run).await?;
        let settled = Settled { outcome: settling(repaired.ending), run: frozen.run.id.to_string(), kept };
        breaches.extend(fork.check(&settled).violated);
        for breach in &mut breaches {
            breach.detail = format!("after it was repaired, {}", breach.detail);
        }
        Ok(breaches)
    }

    fn verdict(&self, simulator: &Simulator, ended: &Ended, breaches: Vec<Violation>, kept: Vec<String>) -> Verdict {
        let settled = Settled { outcome: settling(ended.ending), run: ended.run.id.to_string(), kept };
        let mut verdict = simulator.check(&settled);
        verdict.checked.push(books::LEDGER_AGREES);
        verdict.violated.extend(breaches);
        // What the simulator does not imitate has proved nothing.
        let unsupported = simulator.unsupported();
        verdict.violated.extend(unsupported.into_iter().map(|detail| Violation { invariant: "unsupported", detail }));
        verdict
    }
}

fn said(error: StepError) -> String {
    error.to_string()
}
