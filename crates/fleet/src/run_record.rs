//! A run's record in the ledger.

use crate::{
    Config, FleetName, Golden, IllegalMove, ImageId, InstanceId, Phase, RunId, SCHEMA, Span, SubnetId, Version, Zone,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which run of which fleet: all that a state machine carries from step to step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// The fleet.
    pub fleet: FleetName,
    /// The run.
    pub id: RunId,
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {} of fleet {}", self.id, self.fleet)
    }
}

/// Which workflow a run executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workflow {
    /// The thirteen steps of an upgrade by hand.
    Upgrade,
}

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

/// What the fleet was before the run's first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Every member.
    #[serde(with = "crate::as_json")]
    pub members: Vec<Member>,
    /// The golden image.
    pub golden: Golden,
    /// How long a target that is taken out goes on draining.
    pub drain: Span,
}

/// A member as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The instance.
    pub id: InstanceId,
    /// The image it is a clone of.
    pub image: ImageId,
    /// Where it stands.
    pub zone: Zone,
}

/// The members that a run made, all of which were seen running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMembers {
    /// Their ids, in order.
    #[serde(with = "crate::as_json")]
    pub ids: Vec<InstanceId>,
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
    /// The golden image that the run started from.
    pub golden: Golden,
    /// The version that it is to run.
    pub to: Version,
    /// The versions to install in turn.
    pub hops: Vec<Version>,
    /// How many members there are to be.
    pub size: u32,
    /// The fencing number of the run's lock.
    pub fence: u64,
    /// The configuration that the run goes by, whatever is applied meanwhile.
    #[serde(with = "crate::as_json")]
    pub config: Config,
    /// How long a target that is taken out goes on draining.
    pub drain: Span,
    /// Where the run stands.
    pub phase: Phase,
    /// Every launch, in order.
    pub launches: Vec<Launch>,
    /// When the image was first asked for.
    pub image_asked: Option<Timestamp>,
    /// The image that the run made, once it is known.
    pub image: Option<ImageId>,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When the run turned back, if it did.
    pub turned_back: Option<Timestamp>,
    /// Why it did not go through: the error's name and text.
    pub failure: Option<String>,
    /// When a migration of the data was first asked for; no way back undoes it.
    #[serde(default)]
    pub migration_asked: Option<Timestamp>,
    /// When it was committed: from then on the old members are deleted, and there is no way back.
    #[serde(default)]
    pub committed: Option<Timestamp>,
    /// The execution that took the run up after its own had died.
    #[serde(default)]
    pub taken_up_by: Option<RunId>,
    /// Who wants it to turn back; the next forward step sees it.
    #[serde(default)]
    pub abort: Option<Abort>,
    /// When DynamoDB may forget the record. None while the run goes on, and of a frozen one.
    #[serde(default, with = "jiff::fmt::serde::timestamp::second::optional")]
    pub expires: Option<Timestamp>,
}

/// The way on for a run that is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
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
    /// The record of a run that begins.
    pub fn begin(
        run: RunRef,
        hops: Vec<Version>,
        size: u32,
        config: Config,
        before: &Before,
        fence: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            schema: SCHEMA,
            run,
            workflow: Workflow::Upgrade,
            golden: before.golden.clone(),
            to: hops.last().copied().unwrap_or(before.golden.version),
            hops,
            size,
            fence,
            config,
            drain: before.drain,
            phase: Phase::Forward,
            launches: Vec::new(),
            image_asked: None,
            image: None,
            started: now,
            ended: None,
            turned_back: None,
            failure: None,
            migration_asked: None,
            committed: None,
            taken_up_by: None,
            abort: None,
            expires: None,
        }
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
    pub fn turn_back(&mut self, now: Timestamp) -> Result<(), IllegalMove> {
        self.move_to(Phase::RollingBack)?;
        self.turned_back.get_or_insert(now);
        Ok(())
    }

    /// The way on for whoever takes the run up.
    pub fn way_on(&self) -> Way {
        if self.committed.is_some() { Way::Forward } else { Way::Back }
    }

    /// The execution that the run goes on in.
    pub fn execution(&self) -> &RunId {
        self.taken_up_by.as_ref().unwrap_or(&self.run.id)
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
