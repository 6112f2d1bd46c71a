//! One test binary over everything.

#![cfg(test)]

mod bad_input;
mod broken_steps;
mod command;
mod configure;
mod contract;
mod emulators;
mod faults;
mod golden_image;
mod join_faults;
mod meddling;
mod parity;
mod permissions;
mod previous;
mod proxy;
mod quiet_hours;
mod repair;
mod report;
mod restoring;
mod scale;
mod scaling;
mod scenarios;
mod seeds;
mod simulator;
mod skip;
mod stack;
mod stage;
mod template;
mod turning_back;
mod upgrade_on_moto;
mod way_back;
mod workflow_run;
