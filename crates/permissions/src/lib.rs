//! AWS IAM's identity-based policies: whether a document allows a call, and which of its statements does.
//!
//! A policy is read once and decides often. It is read strictly: an element, an operator, a condition key or a pattern
//! that is not understood here is refused by name, since a decision that passed over it would be worth nothing. What is
//! left out on purpose: `NotAction`, `NotResource`, `Principal`, policy variables, and conditions on numbers, dates,
//! booleans and addresses.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

mod condition;
mod context;
mod pattern;
mod policy;

pub use context::{Context, Key};
pub use policy::{By, Decision, Policy, Refusal};
