//! Runs Amazon States Language (JSONPath mode) in-process.
//!
//! ```
//! # async fn example(resources: &dyn asl::Resources, execution: asl::Execution) -> Result<(), asl::Invalid> {
//! let machine = asl::StateMachine::parse(r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#)?;
//! let finished = asl::run(&machine, execution, resources, &mut |event| println!("{}", event.kind.name())).await;
//! # Ok(()) }
//! ```
//!
//! [`StateMachine::parse`] refuses what the service refuses, and by name what it runs and this engine does not
//! (JSONata, the distributed Map); no field is ever ignored. [`run()`] takes an execution from its input to its
//! [`Outcome`], shows each [`Event`] to an observer, and asks whoever implements [`Resources`] to perform Task states.
//! [`mocks`] implements it from a file; [`history`] exports events in the service's shape.
//!
//! The engine reads no clock but tokio's and starts nothing in the background: with the clock paused, waits cost
//! nothing, and the same definition, input, execution id and resources give the same events.

mod choice;
mod context;
mod definition;
mod event;
mod execution;
mod fault;
pub mod history;
mod intrinsic;
mod invalid;
mod java;
mod load;
pub mod mocks;
mod outcome;
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
pub use execution::{Execution, Limits};
pub use invalid::{Defect, DefectCode, Invalid};
pub use outcome::{Failure, Finished, Outcome};
pub use resources::{Heartbeat, Resources, Task};
pub use run::run;
