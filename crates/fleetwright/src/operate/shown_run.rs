//! A run as the commands print it.

use crate::Exit;
use crate::display::StepEvent;
use crate::length::length;
use fleet::{DataBackup, FleetName, ImageId, Outcome, Phase, Release, Run, RunId, StepRecord, StepResult, Version};
use jiff::Timestamp;
use serde::Serialize;

/// A run, running or ended.
#[derive(Serialize)]
pub(super) struct ShownRun {
    pub(super) schema_version: u32,
    pub(super) run: RunId,
    pub(super) fleet: FleetName,
    /// The outcome such as `upgraded`, or the phase of a running run.
    pub(super) outcome: &'static str,
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) image: Option<ImageId>,
    pub(super) size: u32,
    pub(super) started: Timestamp,
    pub(super) seconds: Option<f64>,
    pub(super) failure: Option<String>,
    /// Who released the fleet from the run, if an operator did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<Release>,
    /// The versions to which the run began to migrate the data. No rollback undoes that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) migrations: Vec<Version>,
    /// The backup of the data from before the first migration.
    pub(super) backup: Option<DataBackup>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<StepRecord>,
    #[serde(skip)]
    phase: Phase,
}

impl ShownRun {
    pub(super) fn new(run: Run, steps: Vec<StepRecord>) -> Self {
        let migrations = run.migrations().to_vec();
        Self {
            schema_version: 1,
            from: run.from(),
            run: run.run.id,
            fleet: run.run.fleet,
            outcome: run.phase.as_str(),
            to: run.to,
            image: run.image,
            size: run.size,
            started: run.started,
            seconds: run.ended.map(|ended| ended.duration_since(run.started).as_secs_f64()),
            failure: run.failure,
            released: run.released,
            migrations,
            backup: run.backup,
            steps,
            phase: run.phase,
        }
    }

    /// The command's exit status for the outcome. `None` while the run is running.
    pub(super) fn exit(&self) -> Option<Exit> {
        match self.phase {
            Phase::Ended(
                Outcome::Upgraded | Outcome::Reverted | Outcome::Restored | Outcome::Scaled | Outcome::ImageTaken,
            ) => Some(Exit::Done),
            Phase::Ended(Outcome::RolledBack) => Some(Exit::RolledBack),
            Phase::Ended(Outcome::Frozen) => Some(Exit::Frozen),
            _ => None,
        }
    }

    /// Text for people: the outcome, the ids, and what to do.
    pub(super) fn text(&self) -> String {
        let Self { run, fleet, from, to, outcome, size, .. } = self;
        let took = self.seconds.map(|seconds| format!(" after {}", length(seconds))).unwrap_or_default();
        let mut text = format!("{outcome}{took}: run {run} of fleet {fleet}, ");
        match from == to {
            true => text.push_str(&to.to_string()),
            false => text.push_str(&format!("{from} -> {to}")),
        }
        if *size > 0 {
            text.push_str(&format!(", {size} members"));
        }
        if let Some(image) = &self.image {
            text.push_str(&format!(", image {image}"));
        }
        if let Some(failure) = &self.failure {
            text.push_str(&format!("\nbecause {failure}"));
        }
        let rolled_back = matches!(self.phase, Phase::Ended(Outcome::RolledBack | Outcome::Frozen));
        if rolled_back && let Some(migrated) = self.migrations.last() {
            let backup = match &self.backup {
                Some(backup) => format!("restore {backup}"),
                None => "restore a backup of your own: the configuration has no [backup]".to_owned(),
            };
            text.push_str(&format!(
                "\na migration of the data to {migrated} has begun and is not undone: if the old version fails, {backup}"
            ));
        }
        if let Some(Release { by, at }) = &self.released {
            text.push_str(&format!(
                "\nreleased by {by} at {at:.0}: 'fleetwright doctor --fleet {fleet}' finds what the run left"
            ));
        } else if self.phase == Phase::Ended(Outcome::Frozen) {
            text.push_str("\nthe fleet stays locked until 'fleetwright repair': see docs/runbook/frozen.md");
        }
        text
    }
}

/// What a display shows of a step that has ended.
pub(super) fn step_event(run_started: Timestamp, step: &StepRecord) -> StepEvent<'_> {
    let at = step.ended.duration_since(run_started).as_secs().max(0);
    match &step.result {
        StepResult::Done => {
            let seconds = step.ended.duration_since(step.started).as_secs_f64();
            StepEvent::Ended { at, step: &step.state, seconds, attempts: step.attempts }
        }
        StepResult::Failed(why) => {
            StepEvent::Failed { at, step: &step.state, cause: why.lines().next().unwrap_or_default() }
        }
    }
}
