//! The steps of a run. One file is one step is one Lambda function; [`STEPS`] is the list of them all, from which the
//! local runner and the contract test derive.

mod aws;
mod error;
#[cfg(feature = "lambda")]
pub mod lambda;
mod ledger;
mod step;
mod steps;

pub use aws::{Aws, CallError, Named};
pub use error::StepError;
pub use ledger::{Going, Ledger, Read};
pub use step::{STEPS, Step};
