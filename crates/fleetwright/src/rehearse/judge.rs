//! What the executions of a rehearsal came to together, and whether everything holds that must.

use super::fault_spec::{FaultSpec, WorldKind};
use super::ledger_check::{LEDGER_AGREES, LedgerCheck};
use super::outcome::Ending;
use super::stage::{Ended, Rehearsal_};
use fleet::{Outcome, Phase, Refusal, RunRef};
use functions::{Aws, StepError};
use serde_json::json;
use simulator::Simulator;
use simulator::invariants::{Verdict, Violation};

/// Who looks.
const CHECK: &str = "check";

impl Rehearsal_<'_> {
    /// The execution that all came to, and the verdict on it. If one of them died, the last is what a person started
    /// after that.
    pub(super) async fn judge(
        &self,
        simulator: &Simulator,
        mut executions: Vec<Ended>,
    ) -> Result<(Ended, Verdict), StepError> {
        let clients = self.pool.take(&simulator.fork_allowing_all(), &self.plan.config, "");
        let aws = clients.of(CHECK);
        let mut breaches = Vec::new();
        let ended = if executions.iter().any(|one| one.died) {
            let later = executions.remove(executions.len() - 1);
            after_a_death(&aws, self.plan.goal.reached(), executions, later, &mut breaches).await?
        } else {
            // Of two that start at once one is refused, or finds everything done.
            let begun = |one: &Ended| !matches!(one.ending, Ending::Refused | Ending::Unchanged);
            let begun = executions.iter().position(begun);
            executions.swap_remove(begun.unwrap_or_default())
        };
        let books = LedgerCheck::read(&aws, &ended.run).await?;
        let ended = Ended { ending: books.reconcile(ended.ending), ..ended };
        breaches.extend(books.check(&aws, &ended, self.plan.goal.version(&self.plan.config)).await?);
        if ended.ending == Ending::Frozen {
            breaches.extend(self.repair(simulator, &ended).await?);
        }
        let mut verdict = simulator.check(&books.settled(&ended));
        verdict.checked.push(LEDGER_AGREES);
        verdict.violated.extend(breaches);
        // What the simulator does not imitate has proved nothing.
        let unsupported = simulator.unsupported();
        verdict.violated.extend(unsupported.into_iter().map(|detail| Violation { invariant: "unsupported", detail }));
        Ok((ended, verdict))
    }

    /// A person has a dead or frozen run taken up, in a world of its own: it must come to an end, and well. Who died
    /// stays dead, and an old member that is missed keeps a run from turning back.
    async fn repair(&self, simulator: &Simulator, frozen: &Ended) -> Result<Vec<Violation>, StepError> {
        if self.fault_specs.iter().any(|fault_spec| matches!(fault_spec, FaultSpec::World(WorldKind::MemberDies(_)))) {
            return Ok(Vec::new());
        }
        let fork = simulator.fork();
        let name = format!("{}-repair", frozen.run.id).parse();
        let name = name.map_err(|error: fleet::InvalidId| StepError::Failed(error.to_string()))?;
        let dead = json!({"execution": frozen.run.id, "how": "is dead in this rehearsal"});
        let input = json!({"fleet": frozen.run.fleet, "repair": frozen.run.id, "dead": dead});
        let repaired = self.start(&fork, &RunRef { id: name, ..frozen.run.clone() }, &frozen.run, input).await;
        if repaired.ending != Ending::RolledBack && !repaired.ending.is_reached() {
            let detail = format!("repairing it ended as {:?}: {:?}", repaired.ending, repaired.reason);
            return Ok(vec![Violation { invariant: "what-is-frozen-can-be-repaired", detail }]);
        }
        let clients = self.pool.take(&fork.fork_allowing_all(), &self.plan.config, "");
        let (aws, repaired) = (clients.of(CHECK), Ended { run: frozen.run.clone(), ..repaired });
        let books = LedgerCheck::read(&aws, &repaired.run).await?;
        let repaired = Ended { ending: books.reconcile(repaired.ending), ..repaired };
        let mut breaches = books.check(&aws, &repaired, self.plan.goal.version(&self.plan.config)).await?;
        breaches.extend(fork.check(&books.settled(&repaired)).violated);
        for breach in &mut breaches {
            breach.detail = format!("after it was repaired, {}", breach.detail);
        }
        Ok(breaches)
    }
}

/// What it came to when one of the executions died and a person started another `later`, which must respect that a run
/// which is not over holds its fleet.
async fn after_a_death(
    aws: &Aws,
    reached: Ending,
    mut executions: Vec<Ended>,
    later: Ended,
    breaches: &mut Vec<Violation>,
) -> Result<Ended, StepError> {
    let fleet = aws.ledger().fleet(&later.run.fleet).await?.map(|read| read.record);
    let lock = fleet.and_then(|fleet| fleet.lock);
    let holder = lock.and_then(|lock| executions.iter().position(|one| one.run.id == lock.run));
    if let Some(holder) = holder {
        let held = executions.swap_remove(holder);
        let locked = Refusal::Locked { fleet: held.run.fleet.clone(), run: held.run.id.clone() }.to_string();
        if later.ending != Ending::Refused || later.reason.as_ref() != Some(&locked) {
            let detail = format!(
                "a start after an execution died was not refused with '{locked}', but {:?}: {:?}",
                later.ending, later.reason
            );
            breaches.push(Violation { invariant: "a-dead-run-keeps-its-fleet", detail });
        }
        let died = format!("its execution stopped for good; a start after it is refused: {locked}");
        return Ok(if held.died { Ended { reason: Some(died), ..held } } else { held });
    }
    if matches!(later.ending, Ending::Refused | Ending::Unchanged) {
        // Whoever is over made the fleet what the later start found; one of them may have died after its last write.
        for one in executions {
            let record = aws.ledger().run(&one.run).await?.map(|read| read.record);
            match record.map(|record| record.phase) {
                Some(Phase::Ended(Outcome::RolledBack)) => return Ok(Ended { ending: Ending::RolledBack, ..one }),
                Some(Phase::Ended(outcome)) if outcome != Outcome::Frozen => {
                    return Ok(Ended { ending: reached, reason: None, ..one });
                }
                _ => {}
            }
        }
    }
    Ok(later)
}
