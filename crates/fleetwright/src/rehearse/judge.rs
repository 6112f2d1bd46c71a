//! Judges a rehearsal: what its executions did together, and whether every invariant holds.

use super::fault_spec::{FaultSpec, WorldKind};
use super::ledger_check::{LEDGER_AGREES, LedgerCheck};
use super::outcome::Ending;
use super::rehearsal::{EndedExecution, Rehearsal};
use fleet::{Outcome, Phase, Refusal, RunRef};
use functions::{Aws, StepError};
use serde_json::json;
use simulator::Simulator;
use simulator::invariants::{Verdict, Violation};

/// The caller under whose name the checks read the simulated AWS.
const CHECK: &str = "check";

impl Rehearsal<'_> {
    /// The execution that decided the rehearsal, and the verdict. If one of the executions died, the last one is the one
    /// that an operator started after that.
    pub(super) async fn judge(
        &self,
        simulator: &Simulator,
        mut executions: Vec<EndedExecution>,
    ) -> Result<(EndedExecution, Verdict), StepError> {
        let clients = self.pool.take(&simulator.fork_allowing_all(), &self.spec.config, "");
        let aws = clients.of(CHECK);
        let mut violations = Vec::new();
        let ended = if executions.iter().any(|one| one.died) {
            let later = executions.remove(executions.len() - 1);
            after_a_death(&aws, self.spec.goal.success(), executions, later, &mut violations).await?
        } else {
            // Of two executions that start at once, one is refused or finds nothing to do.
            let begun = |one: &EndedExecution| !matches!(one.ending, Ending::Refused | Ending::Unchanged);
            let begun = executions.iter().position(begun);
            executions.swap_remove(begun.unwrap_or_default())
        };
        let ledger = LedgerCheck::read(&aws, &ended.run).await?;
        let ended = EndedExecution { ending: ledger.reconcile(ended.ending), ..ended };
        violations.extend(ledger.check(&aws, &ended, self.spec.goal.version(&self.spec.config)).await?);
        if ended.ending == Ending::Frozen {
            violations.extend(self.repair(simulator, &ended).await?);
        }
        let mut verdict = simulator.check(&ledger.settled(&ended));
        verdict.checked.push(LEDGER_AGREES);
        verdict.violated.extend(violations);
        // A rehearsal that used something the simulated AWS does not imitate proves nothing.
        let unsupported = simulator.unsupported();
        verdict.violated.extend(unsupported.into_iter().map(|detail| Violation { invariant: "unsupported", detail }));
        Ok((ended, verdict))
    }

    /// Has an operator repair a dead or frozen run, in a copy of the world. The repair must end the run, and every
    /// invariant must hold then. A dead member stays dead, and a rollback needs every leaving member, so a run that lost one
    /// is not repaired here.
    async fn repair(&self, simulator: &Simulator, frozen: &EndedExecution) -> Result<Vec<Violation>, StepError> {
        if self.spec.faults.iter().any(|fault| matches!(fault, FaultSpec::World(WorldKind::MemberDies(_)))) {
            return Ok(Vec::new());
        }
        let fork = simulator.fork();
        let name = format!("{}-repair", frozen.run.id).parse();
        let name = name.map_err(|error: fleet::InvalidId| StepError::Failed(error.to_string()))?;
        let dead = json!({"execution": frozen.run.id, "how": "is dead in this rehearsal"});
        let input = json!({"fleet": frozen.run.fleet, "repair": frozen.run.id, "dead": dead});
        let name = RunRef { id: name, ..frozen.run.clone() };
        let repaired = self.execute_unobserved(&fork, &name, &frozen.run, input).await;
        if repaired.ending != Ending::RolledBack && !repaired.ending.is_success() {
            let detail = format!("the repair ended as {:?}: {:?}", repaired.ending, repaired.reason);
            return Ok(vec![Violation { invariant: "frozen-run-can-be-repaired", detail }]);
        }
        let clients = self.pool.take(&fork.fork_allowing_all(), &self.spec.config, "");
        let (aws, repaired) = (clients.of(CHECK), EndedExecution { run: frozen.run.clone(), ..repaired });
        let ledger = LedgerCheck::read(&aws, &repaired.run).await?;
        let repaired = EndedExecution { ending: ledger.reconcile(repaired.ending), ..repaired };
        let mut violations = ledger.check(&aws, &repaired, self.spec.goal.version(&self.spec.config)).await?;
        violations.extend(fork.check(&ledger.settled(&repaired)).violated);
        for violation in &mut violations {
            violation.detail = format!("after the repair, {}", violation.detail);
        }
        Ok(violations)
    }
}

/// The execution that decided a rehearsal in which one died and an operator started `later`. A run that has not ended keeps
/// its fleet's lock, so the later start must then be refused.
async fn after_a_death(
    aws: &Aws,
    success: Ending,
    mut executions: Vec<EndedExecution>,
    later: EndedExecution,
    violations: &mut Vec<Violation>,
) -> Result<EndedExecution, StepError> {
    let fleet = aws.ledger().fleet(&later.run.fleet).await?.map(|read| read.record);
    let lock = fleet.and_then(|fleet| fleet.lock);
    let holder = lock.and_then(|lock| executions.iter().position(|one| one.run.id == lock.run));
    if let Some(holder) = holder {
        let held = executions.swap_remove(holder);
        let locked = Refusal::Locked { fleet: held.run.fleet.clone(), run: held.run.id.clone() }.to_string();
        if later.ending != Ending::Refused || later.reason.as_ref() != Some(&locked) {
            let detail = format!(
                "a start after an execution died was not refused with '{locked}', but ended as {:?}: {:?}",
                later.ending, later.reason
            );
            violations.push(Violation { invariant: "a-dead-run-keeps-its-fleet", detail });
        }
        let died = format!("its execution stopped for good; a start after it is refused: {locked}");
        return Ok(if held.died { EndedExecution { reason: Some(died), ..held } } else { held });
    }
    if matches!(later.ending, Ending::Refused | Ending::Unchanged) {
        // An earlier run left the fleet as the later start found it. Its execution may have died after its last write.
        for one in executions {
            let record = aws.ledger().run(&one.run).await?.map(|read| read.record);
            match record.map(|record| record.phase) {
                Some(Phase::Ended(Outcome::RolledBack)) => {
                    return Ok(EndedExecution { ending: Ending::RolledBack, ..one });
                }
                Some(Phase::Ended(outcome)) if outcome != Outcome::Frozen => {
                    return Ok(EndedExecution { ending: success, reason: None, ..one });
                }
                _ => {}
            }
        }
    }
    Ok(later)
}
