//! A run's record in the ledger.

use crate::{
    Admission, Config, DataBackup, Golden, IllegalMove, ImageId, InstanceId, Member, Order, Phase, Release, RunId,
    RunRef, SCHEMA, Span, SubnetId, Ticket, Version, Workflow,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a launched instance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The strong clone on which a version is installed.
    Builder,
    /// A server that takes traffic.
    Member,
}

impl Role {
    /// The role whose tag has this value.
    pub fn named(value: &str) -> Option<Self> {
        [Self::Builder, Self::Member].into_iter().find(|role| role.as_str() == value)
    }

    /// The value of the role's tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Member => "member",
        }
    }
}

/// One launch: recorded before it is asked for, settled when its answer is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// What the instances are for.
    pub role: Role,
    /// Where.
    pub subnet: SubnetId,
    /// 0 for the first launch of its role, then one more each time a shortfall is made up.
    pub round: u32,
    /// How many are asked for at most.
    pub wanted: u32,
    /// How many EC2 launched; unknown until it has answered.
    pub launched: Option<u32>,
    /// Why it launched fewer, in EC2's words.
    pub shortage: Option<String>,
    /// When it was first recorded.
    pub at: Timestamp,
}

/// A run as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this record's shape.
    pub schema: u32,
    /// Which run.
    pub run: RunRef,
    /// Which workflow.
    pub workflow: Workflow,
    /// The golden image that the run started from, if there was one.
    pub golden: Option<Golden>,
    /// The version that it is to run.
    pub to: Version,
    /// The versions to install in turn.
    pub hops: Vec<Version>,
    /// How many members it makes, and of a scale-in takes out.
    pub size: u32,
    /// The member that a golden image is taken of: it is out and stopped for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Member>,
    /// When it was first asked to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_asked: Option<Timestamp>,
    /// The fencing number of the run's lock.
    pub fence: u64,
    /// The configuration that the run goes by, whatever is applied meanwhile.
    #[serde(deserialize_with = "crate::legacy::or_text")]
    pub config: Config,
    /// How long a target that is taken out goes on draining.
    pub drain: Span,
    /// Where the run stands.
    pub phase: Phase,
    /// Every launch, in order.
    pub launches: Vec<Launch>,
    /// When the image was first asked for.
    pub image_asked: Option<Timestamp>,
    /// The image that the new members are clones of: the one that the run made, once it is known, or goes back to.
    pub image: Option<ImageId>,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When the run turned back, if it did.
    #[serde(alias = "turned_back")]
    pub rolled_back: Option<Timestamp>,
    /// Why it did not go through: the error's name and text.
    pub failure: Option<String>,
    /// The backup of the data, if one was asked for.
    #[serde(default)]
    pub backup: Option<DataBackup>,
    /// When a migration of the data was first asked for; no way back undoes it.
    #[serde(default)]
    pub migration_asked: Option<Timestamp>,
    /// The versions to which one was asked for, in turn.
    #[serde(default)]
    migrations: Vec<Version>,
    /// Why the run's image failed its verification, if it did.
    #[serde(default, alias = "condemned")]
    pub image_failure: Option<String>,
    /// When it was committed: from then on the old members are deleted, and there is no way back.
    #[serde(default)]
    pub committed: Option<Timestamp>,
    /// The execution that the run began in, if that has another name: one that looks again and again begins several.
    #[serde(default)]
    pub in_execution: Option<RunId>,
    /// The execution that took the run up after its own had died.
    #[serde(default, alias = "taken_up_by")]
    pub resumed_by: Option<RunId>,
    /// When it did.
    #[serde(default, alias = "taken_up")]
    pub resumed: Option<Timestamp>,
    /// The scale-outs that joined the run while it was making its new members: who they brought is replaced with the rest.
    #[serde(default)]
    pub joined: Vec<RunId>,
    /// Whether it has counted who joined it: from then on nobody does. The definitions of earlier releases do not count.
    #[serde(default = "closed", alias = "books_closed")]
    pub joins_closed: bool,
    /// The run that holds the fleet, if this is a scale-out that joined it.
    #[serde(default)]
    pub joins: Option<RunId>,
    /// Members of a scale-out that did not come into service in time, and are replaced.
    #[serde(default, alias = "given_up")]
    pub abandoned: BTreeSet<InstanceId>,
    /// Who wants it to turn back; the next forward step sees it.
    #[serde(default)]
    pub abort: Option<Abort>,
    /// Who released the fleet from the run, if an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
    /// When DynamoDB may forget the record. None while the run goes on, and of a frozen one.
    #[serde(default, with = "jiff::fmt::serde::timestamp::second::optional")]
    pub expires: Option<Timestamp>,
}

fn closed() -> bool {
    true
}

/// The way on for a run that is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPath {
    /// The old members stand: what was before is restored.
    Back,
    /// The old members are being deleted: the rest of them go, and the run is done.
    Forward,
}

/// A person's wish that a run turn back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// Who, as AWS names them.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Run {
    /// The record of a run that begins. A repair has nothing to go forward to: it restores what was found.
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
        let back = workflow == Workflow::Restore;
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
            phase: if back { Phase::RollingBack } else { Phase::Forward },
            launches: Vec::new(),
            image_asked: None,
            image,
            started: now,
            ended: None,
            rolled_back: back.then_some(now),
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

    /// The version that the members ran when it began.
    pub fn from(&self) -> Version {
        // Without a golden image nothing else is installed.
        self.golden.as_ref().map_or(self.to, |golden| golden.version)
    }

    /// What its state machine carries from step to step.
    pub fn ticket(&self) -> Ticket {
        Ticket { fleet: self.run.fleet.clone(), id: self.run.id.clone(), fence: Some(self.fence) }
    }

    /// Moves the run to another phase; repeating a move changes nothing.
    ///
    /// # Errors
    /// A move that a run cannot make is refused and changes nothing.
    pub fn move_to(&mut self, next: Phase) -> Result<(), IllegalMove> {
        self.phase.move_to(next)
    }

    /// Turns the run back; from then on its forward steps do nothing. Repeating it changes nothing.
    ///
    /// # Errors
    /// Refused once the run is committed or over.
    pub fn roll_back(&mut self, now: Timestamp) -> Result<(), IllegalMove> {
        self.move_to(Phase::RollingBack)?;
        self.rolled_back.get_or_insert(now);
        Ok(())
    }

    /// The versions to which a migration of the data was asked for, in turn. A record of an earlier release does not say
    /// which, so there it is all.
    pub fn migrations(&self) -> &[Version] {
        if self.migration_asked.is_some() && self.migrations.is_empty() { &self.hops } else { &self.migrations }
    }

    /// Notes that a migration of the data to `hop` is about to be asked for; answers whether that is new.
    pub fn migrate_to(&mut self, hop: Version, now: Timestamp) -> bool {
        self.migration_asked.get_or_insert(now);
        let new = !self.migrations.contains(&hop);
        if new {
            self.migrations.push(hop);
        }
        new
    }

    /// The way on for whoever takes the run up.
    pub fn resume_path(&self) -> RunPath {
        if self.committed.is_some() { RunPath::Forward } else { RunPath::Back }
    }

    /// The execution that the run goes on in.
    pub fn execution(&self) -> &RunId {
        self.resumed_by.as_ref().or(self.in_execution.as_ref()).unwrap_or(&self.run.id)
    }

    /// Whether a scale-out may join: the run replaces all members, and has not counted them for the last time.
    pub fn may_be_joined(&self) -> bool {
        let renews = matches!(self.workflow, Workflow::Upgrade | Workflow::Revert);
        renews && self.phase == Phase::Forward && !self.joins_closed
    }

    /// Notes that a scale-out joins. Repeating it changes nothing.
    ///
    /// What it brings is a clone of what the run replaces, so the run makes as many more and takes those out with the rest.
    pub fn join(&mut self, scale_out: &RunId) {
        if !self.joined.contains(scale_out) {
            self.joined.push(scale_out.clone());
        }
    }

    /// The launches for `role`.
    pub fn launches_of(&self, role: Role) -> impl Iterator<Item = &Launch> {
        self.launches.iter().filter(move |launch| launch.role == role)
    }
}

/// What one step of a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The version of this record's shape.
    pub schema: u32,
    /// The state's name in the definition.
    pub state: String,
    /// The step.
    pub step: String,
    /// When the state was entered.
    pub started: Timestamp,
    /// When the step's last attempt ended.
    pub ended: Timestamp,
    /// How often it was asked.
    pub attempts: u32,
    /// How it ended.
    pub result: StepResult,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    /// What it wanted was observed.
    Done,
    /// It gave up: the error's name and text.
    Failed(String),
}
