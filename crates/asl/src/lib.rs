//! Runs Amazon States Language (JSONPath mode) in-process.
//!
//! ```
//! # async fn example(resources: &dyn asl::Resources, execution: asl::Execution) -> Result<(), asl::Invalid> {
//! let machine = asl::StateMachine::parse(r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#)?;
//! let finished = asl::run(&machine, execution, resources, &mut |event| println!("{}", event.kind.name())).await;
//! # Ok(()) }
//! ```
//!
//! [`StateMachine::parse`] rejects every definition that Step Functions rejects. It also rejects what this engine does
//! not support (JSONata, the distributed Map), and names it. It never ignores a field. [`run()`] runs an execution from
//! its input to its [`Outcome`]. It passes each [`Event`] to an observer, and calls an implementation of [`Resources`]
//! for each attempt at a Task state. [`mocks`] implements [`Resources`] from a file. [`history`] exports events in the
//! format of Step Functions.
//!
//! The engine reads only tokio's clock and spawns no background task. With the clock paused, waits take no real time,
//! and the same definition, input, execution id and resources produce the same events.
//!
//! In this crate, "the service" is AWS Step Functions.

mod choice;
mod context;
mod definition;
mod error;
mod event;
mod execution;
pub mod history;
mod intrinsic;
mod invalid;
mod java;
mod load;
pub mod mocks;
mod path;
mod random;
mod resources;
mod retry;
mod run;
mod scope;
mod size;
mod template;
mod time;

pub use definition::{StateMachine, TaskState};
pub use event::{Event, EventKind, StateType};
pub use execution::{Execution, Failure, Finished, Limits, Outcome};
pub use invalid::{Defect, DefectCode, Invalid};
pub use resources::{Heartbeat, Resources, Task};
pub use run::run;
