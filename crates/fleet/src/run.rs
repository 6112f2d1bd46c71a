//! The record of a run in the ledger.

use crate::{
    Admission, Config, DataBackup, Golden, IllegalMove, ImageId, InstanceId, Launch, Member, Order, Phase, Release,
    Role, RunId, RunRef, SCHEMA, Span, Ticket, Version, Workflow,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A run's record in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this record's form: [`SCHEMA`].
    pub schema: u32,
    /// The fleet and the run's id.
    pub run: RunRef,
    /// The kind of change that the run makes.
    pub workflow: Workflow,
    /// The golden image when the run began, if there was one.
    pub golden: Option<Golden>,
    /// The version of the fleet after the run.
    pub to: Version,
    /// The versions to install in turn.
    pub hops: Vec<Version>,
    /// How many members the run creates. In a scale-in, how many it removes.
    pub size: u32,
    /// The source member of a golden-image run. The run stops it to take the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Member>,
    /// When the run first requested to stop the source member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_asked: Option<Timestamp>,
    /// The fencing number of the run's lock.
    pub fence: u64,
    /// The configuration when the run began. A configuration that is applied meanwhile has no effect on the run.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub config: Config,
    /// How long a deregistered target drains.
    pub drain: Span,
    /// The phase that the run is in.
    pub phase: Phase,
    /// Every launch, in order.
    pub launches: Vec<Launch>,
    /// When the run first requested its image.
    pub image_asked: Option<Timestamp>,
    /// The image that the staying members are clones of: the image that the run made, once it is known, or the kept image that
    /// it reverts to.
    pub image: Option<ImageId>,
    /// When the run began.
    pub started: Timestamp,
    /// When the run ended.
    pub ended: Option<Timestamp>,
    /// When the run started to roll back, if it did.
    #[serde(alias = "turned_back")]
    pub rolled_back: Option<Timestamp>,
    /// Why the run failed: the error's name and text.
    pub failure: Option<String>,
    /// The backup of the data, if the run requested one.
    #[serde(default)]
    pub backup: Option<DataBackup>,
    /// When the run first requested a migration of the data. A rollback does not undo a migration.
    #[serde(default)]
    pub migration_asked: Option<Timestamp>,
    /// The versions to which the run requested a migration, in turn.
    #[serde(default)]
    migrations: Vec<Version>,
    /// Why the members of the run's image failed, if they did.
    #[serde(default, alias = "condemned")]
    pub image_failure: Option<String>,
    /// When the run committed. From then on, it deletes the leaving members and cannot roll back.
    #[serde(default)]
    pub committed: Option<Timestamp>,
    /// The execution that the run began in, if its name is not the run's id. A scaling execution can begin several runs.
    #[serde(default)]
    pub in_execution: Option<RunId>,
    /// The execution that resumed the run after its own had died.
    #[serde(default, alias = "taken_up_by")]
    pub resumed_by: Option<RunId>,
    /// When the run was resumed.
    #[serde(default, alias = "taken_up")]
    pub resumed: Option<Timestamp>,
    /// The scale-outs that joined the run. The run replaces the members that they launched, too.
    #[serde(default)]
    pub joined: Vec<RunId>,
    /// Whether the run has counted the members of the scale-outs that joined. From then on, no scale-out can join. Definitions
    /// of earlier releases do not count.
    #[serde(default = "closed", alias = "books_closed")]
    pub joins_closed: bool,
    /// The run that this scale-out joined, if it joined one.
    #[serde(default)]
    pub joins: Option<RunId>,
    /// The abandoned members of a scale-out: they did not become healthy in time.
    #[serde(default, alias = "given_up")]
    pub abandoned: BTreeSet<InstanceId>,
    /// The request to abort the run, if there is one. The next forward step sees it and fails.
    #[serde(default)]
    pub abort: Option<Abort>,
    /// Who released the fleet from the run, if an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
    /// When DynamoDB may delete the record. `None` until the run ends, and for a frozen run.
    #[serde(default, with = "jiff::fmt::serde::timestamp::second::optional")]
    pub expires: Option<Timestamp>,
}

/// Records of earlier releases lack the field. No scale-out can join their runs.
fn closed() -> bool {
    true
}

/// The path on which a resumed run continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPath {
    /// The run is not committed. It brings the leaving members back into service and deletes what it made. Definitions of
    /// earlier releases call this path `back`.
    #[serde(alias = "back")]
    Rollback,
    /// The run is committed. It deletes the leaving members that remain.
    Forward,
}

/// A request by an operator that a run roll back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// The ARN of the operator.
    pub by: String,
    /// When the operator made the request.
    pub at: Timestamp,
}

impl Run {
    /// The record of a run that begins. A restore begins on the rollback path, because it has no other path.
    pub fn begin(run: RunRef, order: Order, config: Config, admission: &Admission, fence: u64, now: Timestamp) -> Self {
        let golden = admission.before.golden.clone();
        let (workflow, hops, to, image) = match order {
            Order::Upgrade(hops) => (Workflow::Upgrade, hops.clone(), hops.last().copied(), None),
            Order::Revert(Golden { image, version, .. }) => (Workflow::Revert, Vec::new(), Some(version), Some(image)),
            Order::Restore => (Workflow::Restore, Vec::new(), None, None),
            Order::ScaleOut(_) => {
                (Workflow::ScaleOut, Vec::new(), None, golden.as_ref().map(|golden| golden.image.clone()))
            }
            Order::ScaleIn(_) => (Workflow::ScaleIn, Vec::new(), None, None),
            Order::GoldenImage { .. } => (Workflow::GoldenImage, Vec::new(), None, None),
        };
        let rolls_back = workflow == Workflow::Restore;
        Self {
            schema: SCHEMA,
            run,
            workflow,
            to: to.unwrap_or(admission.version),
            golden,
            hops,
            size: admission.size,
            source: admission.source.clone(),
            stop_asked: None,
            fence,
            config,
            drain: admission.before.drain,
            phase: if rolls_back { Phase::RollingBack } else { Phase::Forward },
            launches: Vec::new(),
            image_asked: None,
            image,
            started: now,
            ended: None,
            rolled_back: rolls_back.then_some(now),
            failure: None,
            backup: None,
            migration_asked: None,
            migrations: Vec::new(),
            image_failure: None,
            committed: None,
            in_execution: None,
            resumed_by: None,
            resumed: None,
            joined: Vec::new(),
            joins_closed: false,
            joins: None,
            abandoned: BTreeSet::new(),
            abort: None,
            released: None,
            expires: None,
        }
    }

    /// The version that the members ran when the run began.
    pub fn from(&self) -> Version {
        // A fleet without a golden image cannot be upgraded, so its version stays the same.
        self.golden.as_ref().map_or(self.to, |golden| golden.version)
    }

    /// The ticket that the run's state machine passes from step to step.
    pub fn ticket(&self) -> Ticket {
        Ticket { fleet: self.run.fleet.clone(), id: self.run.id.clone(), fence: Some(self.fence) }
    }

    /// Moves the run to another phase. Repeating a move changes nothing.
    ///
    /// # Errors
    /// [`IllegalMove`] if no run can make this move. The run then stays in its phase.
    pub fn move_to(&mut self, next: Phase) -> Result<(), IllegalMove> {
        self.phase.move_to(next)
    }

    /// Starts to roll the run back. From then on, its forward steps do nothing. Repeating the call changes nothing.
    ///
    /// # Errors
    /// [`IllegalMove`] if the run has committed or ended.
    pub fn roll_back(&mut self, now: Timestamp) -> Result<(), IllegalMove> {
        self.move_to(Phase::RollingBack)?;
        self.rolled_back.get_or_insert(now);
        Ok(())
    }

    /// The versions to which the run requested a migration of the data, in turn. A record of an earlier release does not name
    /// them, so all hops count.
    pub fn migrations(&self) -> &[Version] {
        if self.migration_asked.is_some() && self.migrations.is_empty() { &self.hops } else { &self.migrations }
    }

    /// Records that the run is about to request a migration of the data to `hop`. Returns whether that was not yet recorded.
    pub fn migrate_to(&mut self, hop: Version, now: Timestamp) -> bool {
        self.migration_asked.get_or_insert(now);
        let new = !self.migrations.contains(&hop);
        if new {
            self.migrations.push(hop);
        }
        new
    }

    /// The path on which a resumed run continues.
    pub fn resume_path(&self) -> RunPath {
        if self.committed.is_some() { RunPath::Forward } else { RunPath::Rollback }
    }

    /// The execution that the run continues in.
    pub fn execution(&self) -> &RunId {
        self.resumed_by.as_ref().or(self.in_execution.as_ref()).unwrap_or(&self.run.id)
    }

    /// Whether a scale-out may join: the run replaces all members, and has not yet counted those of the scale-outs.
    pub fn may_be_joined(&self) -> bool {
        let replaces_all = matches!(self.workflow, Workflow::Upgrade | Workflow::Revert);
        replaces_all && self.phase == Phase::Forward && !self.joins_closed
    }

    /// Records that a scale-out joins. Repeating the call changes nothing.
    ///
    /// The members of the scale-out are clones of the image that the run replaces. The run therefore creates as many staying
    /// members more, and deletes the scale-out's members with the other leaving members.
    pub fn join(&mut self, scale_out: &RunId) {
        if !self.joined.contains(scale_out) {
            self.joined.push(scale_out.clone());
        }
    }

    /// The launches of `role`, in order.
    pub fn launches_of(&self, role: Role) -> impl Iterator<Item = &Launch> {
        self.launches.iter().filter(move |launch| launch.role == role)
    }
}

/// The result of one step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The version of this record's form: [`SCHEMA`].
    pub schema: u32,
    /// The state's name in the definition.
    pub state: String,
    /// The name of the step that the state invoked.
    pub step: String,
    /// When the state was entered.
    pub started: Timestamp,
    /// When the step's last attempt ended.
    pub ended: Timestamp,
    /// The number of attempts.
    pub attempts: u32,
    /// How the step ended.
    pub result: StepResult,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    /// The step observed the wanted condition.
    Done,
    /// The step failed: the error's name and text.
    Failed(String),
}
