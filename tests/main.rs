//! One test binary for the whole workspace.

#![cfg(test)]

mod bad_input;
mod broken_steps;
mod command;
mod configure;
mod contract;
mod docs;
mod emulated;
mod emulators;
mod faults;
mod fixture;
mod generated_docs;
mod golden_image;
mod hops;
mod join_faults;
mod permissions;
mod previous;
mod quiet_hours;
mod release;
mod repair;
mod repeats_and_failures;
mod report;
mod restoring;
mod reverting;
mod rolling_back;
mod scale;
mod scaling;
mod scenarios;
mod scratch;
mod seeds;
mod simulator;
mod template;
mod until;
mod workflow_run;
