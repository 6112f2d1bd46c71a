//! The vocabulary of a fleet: typed ids, configuration, decisions, and the run's record with its legal moves.
//!
//! Nothing here talks to AWS or does I/O; every decision is a function of what was observed, so that a rehearsal,
//! a Lambda function and a test decide alike.

mod admission;
mod budget;
mod config;
mod data_backup;
mod deadline;
mod derived;
mod diagnosis;
mod fleet_record;
mod health;
mod hops;
mod id;
mod images;
mod inventory;
mod launches;
mod lease;
mod legacy;
mod members;
mod observed;
mod phase;
mod quiet;
mod refusal;
mod release;
mod run;
mod run_ref;
mod scaling;
mod span;
mod stack_scope;
mod timing;
mod verdict;
mod version;
mod workflow;
mod zones;

pub use admission::{Admission, admit};
pub use budget::{Budget, check_connections, check_targets, connections, targets};
pub use config::{
    AnyTag, Builder, Config, ConfigError, Database, FleetConfig, Limits, LoadBalancer, OnFailure, Prices, Rehearsal,
    Scaling, Subnet, Upgrade,
};
pub use data_backup::{Backup, DataBackup, DataSource};
pub use deadline::{Deadline, StateContext};
pub use derived::{
    AlarmKind, DATA_TAG, FLEET_TAG, ROLE_TAG, RUN_TAG, VERSION_TAG, alarm_name, alarm_of, client_token,
    command_comment, db_snapshot_id, image_name, instance_name,
};
pub use diagnosis::{Finding, Remedy, diagnose};
pub use fleet_record::{FleetRecord, Golden, Lock};
pub use health::Health;
pub use hops::{APPWRITE_HOPS, hop_path};
pub use id::{
    CommandId, DbInstanceId, DbSnapshotId, Fingerprint, FleetName, ImageId, InstanceId, InstanceType, InvalidId, RunId,
    SecurityGroupId, SnapshotId, SubnetId, TargetGroupArn, Zone,
};
pub use images::{KeptImage, Target};
pub use inventory::{FleetInstance, Inventory, MadeImage, MadeSnapshot, Place, Restoration};
pub use launches::{NextLaunches, next_launches};
pub use members::{Before, Member, StayingMembers};
pub use observed::{Observed, RaisedAlarm, Tagged};
pub use phase::{IllegalMove, Outcome, Phase};
pub use quiet::{
    ExpectedLength, Hindsight, LocalZone, NotPermitted, Period, QuietError, QuietWindow, Seen, Trace, TraceError,
    WeeklyTime, Window, Windows, expected_length, percentile_95, quietest,
};
pub use refusal::Refusal;
pub use release::Release;
pub use run::{Abort, Launch, Role, Run, RunPath, StepRecord, StepResult};
pub use run_ref::{RunRef, Ticket};
pub use scaling::{
    Action, CpuPoint, Decision, Direction, Inputs, Limit, Reading, Reason, ScaleRequest, SeenCpu, SizeOrder, Standing,
    Threshold, decide, fleet_cpu, leaving,
};
pub use span::Span;
pub use stack_scope::StackScope;
pub use timing::{check_window, check_window_of_image, lengths};
pub use verdict::{Verdict, judge};
pub use version::{InvalidVersion, Version};
pub use workflow::{Machine, Order, Workflow};
pub use zones::spread;

/// The version of the records that this release writes to the ledger.
pub const SCHEMA: u32 = 1;
