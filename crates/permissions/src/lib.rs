//! Evaluates identity-based policies of AWS IAM: whether a policy allows a call, and which of its statements does.
//!
//! A policy is read once and evaluated often. Reading is strict: it fails on an element, operator, condition key or
//! pattern that this crate does not support, and names it. A decision that ignored one would be worthless. These parts are
//! deliberately not supported: `NotAction`, `NotResource`, `Principal`, policy variables, and conditions on numbers, dates,
//! booleans and addresses.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

mod condition;
mod context;
mod pattern;
mod policy;

pub use context::{Context, Key};
pub use policy::{By, Decision, Policy, PolicyError};
