//! A caller of AWS: through boto3, which the product does not use, or through the command.

use super::deployed::binaries;
use crate::emulators::{REGION, python, until, without_aws};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// A caller's keys, region and endpoint.
#[derive(Debug, Clone)]
pub struct Caller {
    endpoint: String,
    region: String,
    key: String,
    secret: String,
}

/// An error that AWS answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: String,
    pub message: String,
}

/// How a command line ended, and what it printed.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Caller {
    pub fn new(endpoint: &str, key: &str, secret: &str) -> Self {
        let [endpoint, region, key, secret] = [endpoint, REGION, key, secret].map(str::to_owned);
        Self { endpoint, region, key, secret }
    }

    /// The same caller in another region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Makes a program call AWS as this caller.
    pub fn sign(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_ACCESS_KEY_ID", &self.key).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        command.env("AWS_REGION", &self.region).env("AWS_DEFAULT_REGION", &self.region);
    }

    /// Makes a call that must succeed.
    pub fn call(&self, service: &str, operation: &str, members: &Value) -> Value {
        self.try_call(service, operation, members)
            .unwrap_or_else(|refused| panic!("{service} {operation}: {refused:?}"))
    }

    /// Makes a call.
    pub fn try_call(&self, service: &str, operation: &str, members: &Value) -> Result<Value, Refused> {
        self.run_client(&["call", service, operation, &members.to_string()])
    }

    /// Invokes a function with an event; returns its answer, or its error's type and message.
    pub fn invoke(&self, function: &str, event: &Value) -> Result<Value, (String, String)> {
        let members = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = self.call("lambda", "invoke", &members);
        let payload: Value = serde_json::from_str(answer["Payload"].as_str().unwrap()).unwrap();
        if answer["FunctionError"].is_null() {
            return Ok(payload);
        }
        let text = |field: &str| payload[field].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
        Err((text("errorType"), text("errorMessage")))
    }

    /// Starts an upgrade through Step Functions, waits for its end and returns how it ended.
    pub fn upgrade(&self, run: &str, input: &Value) -> Value {
        self.run_client(&["upgrade", run, &input.to_string()]).unwrap()
    }

    /// Runs the command as this caller. Single spaces separate the words of the line.
    pub fn fleetwright(&self, line: &str) -> Ran {
        let mut command = Command::new(binaries().join("fleetwright"));
        without_aws(&mut command);
        self.sign(&mut command);
        let output = command.args(line.split(' ')).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Ran { exit: output.status.code().unwrap(), out, err }
    }

    /// Starts an upgrade with the command, waits until it awaits approval and returns the run.
    pub fn upgrade_until_approval(&self, fleet: &str) -> String {
        let started = self.fleetwright(&format!("upgrade --fleet {fleet} --to 1.4.14 --approval true --detach"));
        assert_eq!(started.exit, 0, "{started:?}");
        let run = started.out.trim();
        until("the run waits for approval", || {
            let seen = self.fleetwright(&format!("status --fleet {fleet} --output json"));
            assert_eq!(seen.exit, 0, "{seen:?}");
            let status: Value = serde_json::from_str(&seen.out).unwrap();
            (status["run"]["phase"] == "awaiting approval").then_some(())
        });
        run.to_owned()
    }

    fn run_client(&self, arguments: &[&str]) -> Result<Value, Refused> {
        let mut client = python("emulated/stack/client.py");
        self.sign(&mut client);
        let output = client.args(arguments).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "client.py {arguments:?}: {}", output.status);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let Some(refused) = answer.get("refused") else { return Ok(answer) };
        let text = |field: &str| refused[field].as_str().unwrap().to_owned();
        Err(Refused { code: text("Code"), message: text("Message") })
    }
}
