//! What the ledger must say when a run is over. The world's invariants are the simulator's; it knows no ledger.

use super::Ending;
use super::stage::Ended;
use fleet::{FleetRecord, Outcome, Phase, Remedy, RunRef, Version, diagnose};
use functions::{Aws, Step, StepError};
use serde_json::json;
use simulator::invariants::Violation;

/// The invariant's name.
pub(super) const LEDGER_AGREES: &str = "ledger-agrees";

/// The images that the fleet keeps, the golden one among them.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn kept(aws: &Aws, run: &RunRef) -> Result<Vec<String>, StepError> {
    let Some(fleet) = aws.ledger().fleet(&run.fleet).await?.map(|read| read.record) else { return Ok(Vec::new()) };
    let golden = fleet.golden.into_iter().map(|golden| golden.image);
    Ok(fleet.images.into_iter().map(|kept| kept.image).chain(golden).map(|image| image.to_string()).collect())
}

/// What a doctor finds that a repair would mend: nothing of that kind may be left by a run that is over.
async fn to_repair(aws: &Aws, fleet: &FleetRecord) -> Result<Vec<String>, StepError> {
    let observe = Step::named("observe").ok_or_else(|| StepError::Failed("there is no step 'observe'".to_owned()))?;
    let observed = observe.invoke(aws, json!({"fleet": fleet.name()})).await?;
    let observed = serde_json::from_value(observed).map_err(|error| StepError::Failed(error.to_string()))?;
    let findings = diagnose(fleet, &observed, &[]).into_iter();
    let findings = findings.filter(|finding| finding.remedy == Remedy::Repair);
    Ok(findings.map(|finding| format!("a doctor finds that {}", finding.what)).collect())
}

/// How a run ended: one that gave up keeps who came into service, and then it has scaled.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn came_to(aws: &Aws, ended: &Ended) -> Result<Ending, StepError> {
    let scaled = match ended.ending {
        Ending::RolledBack => aws.ledger().run(&ended.run).await?.map(|read| read.record.phase),
        _ => None,
    };
    Ok(if scaled == Some(Phase::Ended(Outcome::Scaled)) { Ending::Scaled } else { ended.ending })
}

/// Whether the ledger agrees with how a run ended.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn check(aws: &Aws, run: &RunRef, to: Version, ending: Ending) -> Result<Vec<Violation>, StepError> {
    let fleet = aws.ledger().fleet(&run.fleet).await?;
    let fleet = fleet.ok_or_else(|| StepError::Failed(format!("{} is not in the ledger", run.fleet)))?.record;
    let record = aws.ledger().run(run).await?.map(|read| read.record);
    let phase = record.as_ref().map(|record| &record.phase);
    let locked = fleet.lock.as_ref().is_some_and(|lock| lock.run == run.id);

    let mut wrong = Vec::new();
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
    match (ending, locked) {
        (Ending::Frozen, false) => wrong.push("the run is frozen, and does not hold its fleet".to_owned()),
        (Ending::Frozen, true) => {}
        (_, true) => wrong.push(format!("the run ended as {ending:?}, and still holds its fleet")),
        (_, false) => {}
    }
    let frozen = record.as_ref().filter(|record| record.phase == Phase::Ended(Outcome::Frozen));
    if frozen.is_some_and(|record| record.failure.is_none()) {
        wrong.push("the run is frozen, and does not say why".to_owned());
    }
    if let Some(record) = &record {
        let made = record.image.as_ref();
        match ending {
            Ending::Upgraded | Ending::ImageTaken
                if fleet.version() != to || fleet.golden.as_ref().map(|golden| &golden.image) != made =>
            {
                wrong.push(format!("after the run the golden image is {:?}", fleet.golden));
            }
            Ending::RolledBack | Ending::Scaled if fleet.golden != record.golden => {
                wrong.push(format!("after a run that makes none the golden image is {:?}", fleet.golden));
            }
            _ => {}
        }
    }
    if ending != Ending::Frozen {
        wrong.extend(to_repair(aws, &fleet).await?);
    }
    if let Some(golden) = &fleet.golden
        && aws.image(&golden.image).await?.is_none()
    {
        wrong.push(format!("the golden image {} does not exist", golden.image));
    }
    Ok(wrong.into_iter().map(|detail| Violation { invariant: LEDGER_AGREES, detail }).collect())
}
