//! One test binary over everything.

#![cfg(test)]

mod bad_input;
mod broken_steps;
mod command;
mod configure;
mod contract;
mod emulators;
mod faults;
mod fixture;
mod golden_image;
mod join_faults;
mod meddling;
mod parity;
mod permissions;
mod previous;
mod proxy;
mod quiet_hours;
mod release;
mod repair;
mod report;
mod restoring;
mod reverting;
mod rolling_back;
mod scale;
mod scaling;
mod scenarios;
mod seeds;
mod simulator;
mod skip;
mod stack;
mod template;
mod upgrade_on_moto;
mod workflow_run;
