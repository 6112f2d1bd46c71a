//! The steps of a run. One file is one step is one Lambda function. [`STEPS`] lists them all; the local runner and the
//! contract test derive from that list.

mod aws;
mod error;
#[cfg(feature = "lambda")]
pub mod lambda;
mod ledger;
mod step;
mod steps;

pub use aws::{Aws, CallError, Named};
pub use error::StepError;
pub use ledger::{AllowedPhase, Ledger, Versioned};
pub use step::{STEPS, Step};
