//! What the ledger must say when a run is over. The world's invariants are the simulator's; it knows no ledger.

use super::Ending;
use super::outcome::settling;
use super::stage::Ended;
use fleet::{FleetRecord, Observed, Outcome, Phase, Remedy, Run, RunRef, Version, diagnose};
use functions::{Aws, Step, StepError};
use serde_json::json;
use simulator::invariants::{Settled, Violation};

/// The invariant's name.
pub(super) const LEDGER_AGREES: &str = "ledger-agrees";

/// What the ledger says of a run that is over, and of its fleet.
pub(super) struct LedgerCheck {
    fleet: FleetRecord,
    run: Option<Run>,
}

impl LedgerCheck {
    /// Reads them.
    ///
    /// # Errors
    /// When the ledger cannot be read, or has no such fleet.
    pub(super) async fn read(aws: &Aws, run: &RunRef) -> Result<Self, StepError> {
        let fleet = aws.ledger().fleet(&run.fleet).await?;
        let fleet = fleet.ok_or_else(|| StepError::Failed(format!("{} is not in the ledger", run.fleet)))?.record;
        Ok(Self { fleet, run: aws.ledger().run(run).await?.map(|read| read.record) })
    }

    /// How the run ended: one that gave up keeps who came into service, and then it has scaled.
    pub(super) fn reconcile(&self, ending: Ending) -> Ending {
        match self.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Ended(Outcome::Scaled)) if ending == Ending::RolledBack => Ending::Scaled,
            _ => ending,
        }
    }

    /// What the world must have settled to.
    pub(super) fn settled(&self, ended: &Ended) -> Settled {
        let golden = self.fleet.golden.iter().map(|golden| &golden.image);
        let kept = self.fleet.images.iter().map(|kept| &kept.image).chain(golden).map(ToString::to_string);
        let joined = self.run.iter().flat_map(|run| &run.joined).map(ToString::to_string);
        let (outcome, run) = (settling(ended.ending), ended.run.id.to_string());
        Settled { outcome, run, kept: kept.collect(), joined: joined.collect() }
    }

    /// Whether they agree with how a run ended that was to reach a version, and with the world.
    ///
    /// # Errors
    /// When the world cannot be looked at.
    pub(super) async fn check(&self, aws: &Aws, ended: &Ended, to: Version) -> Result<Vec<Violation>, StepError> {
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

    /// The run's end and the fleet's lock.
    fn check_end(&self, ended: &Ended, wrong: &mut Vec<String>) {
        let ending = ended.ending;
        let phase = self.run.as_ref().map(|run| &run.phase);
        let fits = match (ending, phase) {
            (Ending::Upgraded, Some(Phase::Ended(outcome))) => *outcome == Outcome::Upgraded,
            (Ending::Scaled, Some(Phase::Ended(outcome))) => *outcome == Outcome::Scaled,
            (Ending::ImageTaken, Some(Phase::Ended(outcome))) => *outcome == Outcome::ImageTaken,
            (Ending::RolledBack, Some(Phase::Ended(outcome))) => *outcome == Outcome::RolledBack,
            (Ending::Frozen, Some(Phase::Ended(outcome))) => *outcome == Outcome::Frozen,
            // The ledger itself could not be written, so that the freezing failed: the lock holds all the same.
            (Ending::Frozen, Some(_)) => true,
            (Ending::Refused | Ending::Unchanged, None) => true,
            _ => false,
        };
        if !fits {
            wrong.push(format!("the run ended as {ending:?} and is {}", phase.map_or("not there", Phase::as_str)));
        }
        let locked = self.fleet.lock.as_ref().is_some_and(|lock| lock.run == ended.run.id);
        match (ending, locked) {
            (Ending::Frozen, false) => wrong.push("the run is frozen, and does not hold its fleet".to_owned()),
            (Ending::Frozen, true) => {}
            (_, true) => wrong.push(format!("the run ended as {ending:?}, and still holds its fleet")),
            (_, false) => {}
        }
        let frozen = self.run.as_ref().filter(|run| run.phase == Phase::Ended(Outcome::Frozen));
        if frozen.is_some_and(|run| run.failure.is_none()) {
            wrong.push("the run is frozen, and does not say why".to_owned());
        }
    }

    /// The golden image is what the run made, or what it was.
    fn check_golden_image(&self, ending: Ending, to: Version, wrong: &mut Vec<String>) {
        let (Some(run), fleet) = (&self.run, &self.fleet) else { return };
        let made = fleet.version() == to && fleet.golden.as_ref().map(|golden| &golden.image) == run.image.as_ref();
        match ending {
            Ending::Upgraded | Ending::ImageTaken if !made => {
                wrong.push(format!("after the run the golden image is {:?}", fleet.golden));
            }
            Ending::RolledBack | Ending::Scaled if fleet.golden != run.golden => {
                wrong.push(format!("after a run that makes none the golden image is {:?}", fleet.golden));
            }
            _ => {}
        }
    }

    /// A run that is over leaves nothing that a repair would mend, and a golden image to go on from.
    fn check_world(&self, observed: &Observed, wrong: &mut Vec<String>) {
        let findings = diagnose(&self.fleet, observed, &[]).into_iter();
        let findings = findings.filter(|finding| finding.remedy == Remedy::Repair);
        wrong.extend(findings.map(|finding| format!("a doctor finds that {}", finding.what)));
        let problem = self.fleet.golden.as_ref().zip(observed.image_problem.as_ref());
        wrong.extend(problem.map(|(golden, problem)| format!("the golden image {} {problem}", golden.image)));
    }
}

/// The fleet as its operator sees it.
async fn observe(aws: &Aws, fleet: &FleetRecord) -> Result<Observed, StepError> {
    let observe = Step::named("observe").ok_or_else(|| StepError::Failed("there is no step 'observe'".to_owned()))?;
    let observed = observe.invoke(aws, json!({"fleet": fleet.name()})).await?;
    serde_json::from_value(observed).map_err(|error| StepError::Failed(error.to_string()))
}
