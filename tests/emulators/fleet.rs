//! A fleet on moto, made and looked at by a client that the product does not use.

use super::Moto;
use super::python::python;
use serde_json::Value;
use std::process::Stdio;

/// Makes in an empty account what `samplconfig.toml` describes, with bystanders; says the ids.
pub fn build_fleet(moto: &Moto) -> Value {
    call(moto, "build")
}

/// Everything that is in the account now.
pub fn inspect_fleet(moto: &Moto) -> Value {
    call(moto, "inspect")
}

fn call(moto: &Moto, action: &str) -> Value {
    let output = python("fleet.py").arg(moto.endpoint()).arg(action).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "fleet.py {action}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
