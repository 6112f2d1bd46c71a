//! The vocabulary of a fleet: typed ids, configuration, decisions, and the record of a run with its legal moves.
//!
//! Nothing here calls AWS or does I/O. Each decision is a pure function of what was observed, so that a rehearsal, a Lambda
//! function and a test make the same decision.

mod admission;
mod budget;
mod config;
mod data_backup;
mod deadline;
mod derived;
mod diagnosis;
mod fleet_record;
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
#[cfg(feature = "schema")]
mod schema;
mod span;
mod stack_scope;
mod timing;
mod verdict;
mod version;
mod workflow;

pub use admission::{Admission, admit};
pub use budget::{Budget, check_connections, check_targets, connections, targets};
pub use config::{
    AnyTag, Builder, Config, ConfigError, Database, FleetConfig, Limits, LoadBalancer, OnFailure, Prices, Rehearsal,
    Scaling, Subnet, Upgrade,
};
#[cfg(feature = "schema")]
pub use config::{configuration_reference, configuration_schema};
pub use data_backup::{Backup, DataBackup, DataSource};
pub use deadline::{Deadline, StateContext};
pub use derived::{
    DATA_TAG, FLEET_TAG, ROLE_TAG, RUN_TAG, VERSION_TAG, client_token, command_comment, db_snapshot_id, image_name,
    instance_name,
};
pub use diagnosis::{Finding, Remedy, diagnose};
pub use fleet_record::{FleetRecord, Golden, Lock};
pub use hops::{APPWRITE_HOPS, hop_path};
pub use id::{
    CommandId, DbInstanceId, DbSnapshotId, Fingerprint, FleetName, ImageId, InstanceId, InstanceType, InvalidId, RunId,
    SecurityGroupId, SnapshotId, SubnetId, TargetGroupArn, Zone,
};
pub use images::{InvalidRevertTo, KeptImage, RevertTo};
pub use inventory::{FleetInstance, Inventory, MadeImage, MadeSnapshot, Place, Restoration};
pub use launches::{Launch, NextLaunches, Role, next_launches, spread};
pub use members::{Before, Member, StayingMembers};
pub use observed::{Health, Observed, RaisedAlarm, Tagged};
pub use phase::{IllegalMove, Outcome, Phase};
pub use quiet::{
    ExpectedLength, Hindsight, InvalidTimeOfDay, InvalidTimeZone, InvalidWeekday, InvalidWeeklyTime, InvalidWindow,
    LocalZone, NotPermitted, Period, QuietError, QuietWindow, Seen, Trace, TraceError, WeeklyTime, Window, Windows,
    expected_length, percentile_95, quietest,
};
pub use refusal::Refusal;
pub use release::Release;
pub use run::{Abort, Run, RunPath, StepRecord, StepResult};
pub use run_ref::{RunRef, Ticket};
pub use scaling::{
    Action, AlarmKind, CpuPoint, Decision, Direction, Inputs, InvalidRequest, Limit, Reading, Reason, ScaleRequest,
    ScalingMember, SeenCpu, SizeOrder, Threshold, alarm_name, alarm_of, decide, fleet_cpu, leaving,
};
pub use span::{InvalidSpan, Span};
pub use stack_scope::StackScope;
pub use timing::{check_window, check_window_of_image, lengths};
pub use verdict::{Verdict, judge};
pub use version::{InvalidVersion, Version};
pub use workflow::{Machine, Order, Workflow};

/// The version of the form of the records that this release writes to the ledger.
pub const SCHEMA: u32 = 1;
