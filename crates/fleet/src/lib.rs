//! The vocabulary of a fleet: typed ids, configuration, decisions, and the run's record with its legal moves.
//!
//! Nothing here talks to AWS or does I/O; every decision is a function of what was observed, so that a rehearsal,
//! a Lambda function and a test decide alike.

mod admission;
mod as_json;
mod budget;
mod config;
mod deadline;
mod derived;
mod fleet_record;
mod health;
mod hops;
mod id;
mod launches;
mod observed;
mod phase;
mod quiet;
mod reach;
mod refusal;
mod run_record;
mod span;
mod verdict;
mod version;
mod zones;

pub use admission::{Admission, admit};
pub use budget::{Budget, check_connections, check_targets, connections, targets};
pub use config::{
    AnyTag, Builder, Config, ConfigError, Database, FleetConfig, Limits, LoadBalancer, Prices, Rehearsal, Subnet,
    Upgrade,
};
pub use deadline::{Deadline, StateContext};
pub use derived::{
    FLEET_TAG, ROLE_TAG, RUN_TAG, VERSION_TAG, client_token, command_comment, image_name, instance_name,
};
pub use fleet_record::{FleetRecord, Golden, Lock};
pub use health::Health;
pub use hops::{APPWRITE_HOPS, hop_path};
pub use id::{
    CommandId, Fingerprint, FleetName, ImageId, InstanceId, InstanceType, InvalidId, RunId, SecurityGroupId, SubnetId,
    TargetGroupArn, Zone,
};
pub use launches::{NextLaunches, next_launches};
pub use observed::{Alarming, Observed, Tagged};
pub use phase::{IllegalMove, Outcome, Phase};
pub use quiet::{
    ExpectedLength, Hindsight, LocalZone, Moment, NotPermitted, Period, QuietError, QuietWindow, Seen, Trace,
    TraceError, Window, Windows, expected_length, percentile_95, quietest,
};
pub use reach::Reach;
pub use refusal::Refusal;
pub use run_record::{
    Abort, Before, Launch, Member, NewMembers, Role, Run, RunRef, StepRecord, StepResult, Way, Workflow,
};
pub use span::Span;
pub use verdict::{Verdict, judge};
pub use version::{InvalidVersion, Version};
pub use zones::spread;

/// The version of the records that this release writes to the ledger.
pub const SCHEMA: u32 = 1;
