//! Tests that start emulators of AWS. They take most of the time of all tests, so `cargo quick` skips them.

mod emulators;
mod parity;
mod proxy;
mod stack;
mod upgrade_on_moto;
