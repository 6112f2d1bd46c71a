//! Checks the ledger after a run. The simulator checks the world's invariants, but knows nothing of the ledger.

use super::Ending;
use super::outcome::settling;
use super::rehearsal::EndedExecution;
use fleet::{FleetRecord, Observed, Outcome, Phase, Remedy, Run, RunRef, Version, diagnose};
use functions::{Aws, Step, StepError};
use serde_json::json;
use simulator::invariants::{Settled, Violation};

/// The invariant's name.
pub(super) const LEDGER_AGREES: &str = "ledger-agrees";

/// The ledger's records of an ended run and of its fleet.
pub(super) struct LedgerCheck {
    fleet: FleetRecord,
    run: Option<Run>,
}

impl LedgerCheck {
    /// Reads the records.
    ///
    /// # Errors
    /// The ledger cannot be read, or has no such fleet.
    pub(super) async fn read(aws: &Aws, run: &RunRef) -> Result<Self, StepError> {
        let fleet = aws.ledger().fleet(&run.fleet).await?;
        let fleet = fleet.ok_or_else(|| StepError::Failed(format!("{} is not in the ledger", run.fleet)))?.record;
        Ok(Self { fleet, run: aws.ledger().run(run).await?.map(|read| read.record) })
    }

    /// The ending with the ledger's correction: a scale-out that abandoned members and kept others fails as an execution,
    /// and has scaled.
    pub(super) fn reconcile(&self, ending: Ending) -> Ending {
        match self.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Ended(Outcome::Scaled)) if ending == Ending::RolledBack => Ending::Scaled,
            _ => ending,
        }
    }

    /// The state that the world must be in.
    pub(super) fn settled(&self, ended: &EndedExecution) -> Settled {
        let golden = self.fleet.golden.iter().map(|golden| &golden.image);
        let kept = self.fleet.images.iter().map(|kept| &kept.image).chain(golden).map(ToString::to_string);
        let joined = self.run.iter().flat_map(|run| &run.joined).map(ToString::to_string);
        let (outcome, run) = (settling(ended.ending), ended.run.id.to_string());
        Settled { outcome, run, kept: kept.collect(), joined: joined.collect() }
    }

    /// The violations if the records disagree with the ending of a run whose goal is version `to`, or with the world.
    ///
    /// # Errors
    /// The world cannot be observed.
    pub(super) async fn check(
        &self,
        aws: &Aws,
        ended: &EndedExecution,
        to: Version,
    ) -> Result<Vec<Violation>, StepError> {
        let mut wrong = Vec::new();
        self.check_end(ended, &mut wrong);
        self.check_golden_image(ended.ending, to, &mut wrong);
        if ended.ending == Ending::Frozen {
            if let Some(golden) = &self.fleet.golden
                && aws.image(&golden.image).await?.is_none()
            {
                wrong.push(format!("the golden image {} does not exist", golden.image));
            }
        } else {
            self.check_world(&observe(aws, &self.fleet).await?, &mut wrong);
        }
        Ok(wrong.into_iter().map(|detail| Violation { invariant: LEDGER_AGREES, detail }).collect())
    }

    /// Checks the run's phase and the fleet's lock.
    fn check_end(&self, ended: &EndedExecution, wrong: &mut Vec<String>) {
        let ending = ended.ending;
        let phase = self.run.as_ref().map(|run| &run.phase);
        let fits = match (ending, phase) {
            (Ending::Upgraded, Some(Phase::Ended(outcome))) => *outcome == Outcome::Upgraded,
            (Ending::Scaled, Some(Phase::Ended(outcome))) => *outcome == Outcome::Scaled,
            (Ending::ImageTaken, Some(Phase::Ended(outcome))) => *outcome == Outcome::ImageTaken,
            (Ending::RolledBack, Some(Phase::Ended(outcome))) => *outcome == Outcome::RolledBack,
            (Ending::Frozen, Some(Phase::Ended(outcome))) => *outcome == Outcome::Frozen,
            // The freeze itself failed because the ledger could not be written. The lock still holds.
            (Ending::Frozen, Some(_)) => true,
            (Ending::Refused | Ending::Unchanged, None) => true,
            _ => false,
        };
        if !fits {
            wrong.push(format!(
                "the run ended as {ending:?} and is {} in the ledger",
                phase.map_or("missing", Phase::as_str)
            ));
        }
        let locked = self.fleet.lock.as_ref().is_some_and(|lock| lock.run == ended.run.id);
        match (ending, locked) {
            (Ending::Frozen, false) => wrong.push("the run is frozen and does not hold its fleet's lock".to_owned()),
            (Ending::Frozen, true) => {}
            (_, true) => wrong.push(format!("the run ended as {ending:?} and still holds its fleet's lock")),
            (_, false) => {}
        }
        let frozen = self.run.as_ref().filter(|run| run.phase == Phase::Ended(Outcome::Frozen));
        if frozen.is_some_and(|run| run.failure.is_none()) {
            wrong.push("the run is frozen and its record has no reason".to_owned());
        }
    }

    /// Checks that the golden image is the one that the run made, or the one from before.
    fn check_golden_image(&self, ending: Ending, to: Version, wrong: &mut Vec<String>) {
        let (Some(run), fleet) = (&self.run, &self.fleet) else { return };
        let made = fleet.version() == to && fleet.golden.as_ref().map(|golden| &golden.image) == run.image.as_ref();
        match ending {
            Ending::Upgraded | Ending::ImageTaken if !made => {
                wrong.push(format!("the golden image after the run is {:?}", fleet.golden));
            }
            Ending::RolledBack | Ending::Scaled if fleet.golden != run.golden => {
                wrong.push(format!("the golden image after a run that makes none is {:?}", fleet.golden));
            }
            _ => {}
        }
    }

    /// Checks that the run left nothing to repair, and a usable golden image.
    fn check_world(&self, observed: &Observed, wrong: &mut Vec<String>) {
        let findings = diagnose(&self.fleet, observed, &[]).into_iter();
        let findings = findings.filter(|finding| finding.remedy == Remedy::Repair);
        wrong.extend(findings.map(|finding| format!("doctor finds that {}", finding.what)));
        let problem = self.fleet.golden.as_ref().zip(observed.image_problem.as_ref());
        wrong.extend(problem.map(|(golden, problem)| format!("the golden image {} {problem}", golden.image)));
    }
}

/// The fleet as the step `observe` reports it to operators.
async fn observe(aws: &Aws, fleet: &FleetRecord) -> Result<Observed, StepError> {
    let observe = Step::named("observe").ok_or_else(|| StepError::Failed("there is no step 'observe'".to_owned()))?;
    let observed = observe.invoke(aws, json!({"fleet": fleet.name()})).await?;
    serde_json::from_value(observed).map_err(|error| StepError::Failed(error.to_string()))
}
