//! Answers for Task states from a mock configuration file of Step Functions Local:
//!
//! ```json
//! {
//!   "StateMachines": {"Orders": {"TestCases": {"SecondTryWorks": {"Charge": "FlakyCharge"}}}},
//!   "MockedResponses": {
//!     "FlakyCharge": {
//!       "0": {"Throw": {"Error": "Busy", "Cause": "try again"}},
//!       "1-9": {"Return": {"charged": true}}
//!     }
//!   }
//! }
//! ```
//!
//! A state's first call gets the answer of `0`, its second that of `1`, and so on. A call for which there is no answer
//! ends the execution, whatever it catches: a mock that is missing must not look like a path that was tested.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use crate::fault::names;
use crate::invalid;
use crate::outcome::Failure;
use crate::resources::{Resources, Task};

/// A mock configuration file.
#[derive(Clone, Debug)]
pub struct MockConfig {
    /// State machine, test case, state, name of the response.
    machines: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    responses: BTreeMap<String, Response>,
}

/// Why a mock configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct MockError {
    /// A JSON path into the file.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// One test case.
#[derive(Debug)]
pub struct MockedCase {
    name: String,
    responses: BTreeMap<String, Response>,
    /// How often each state has called.
    calls: RefCell<BTreeMap<String, u64>>,
}

type Response = Vec<(RangeInclusive<u64>, Result<Value, Failure>)>;

/// Reads and checks a mock configuration.
///
/// # Errors
///
/// The first thing in it that is not of the format.
pub fn parse(text: &str) -> Result<MockConfig, MockError> {
    let file: Value = serde_json::from_str(text).map_err(|error| wrong("$", format!("not JSON: {error}")))?;
    let file = object(&file, "$")?;
    only(file, "$", &["MockedResponses", "StateMachines"])?;
    let machines = section(file, "$", "StateMachines", |machine, place| {
        let machine = object(machine, place)?;
        only(machine, place, &["TestCases"])?;
        section(machine, place, "TestCases", |case, place| {
            entries(object(case, place)?, place, |name, place| text_of(name, place).map(str::to_owned))
        })
    })?;
    let responses = section(file, "$", "MockedResponses", response)?;
    let uses = machines.iter().flat_map(|(machine, cases)| {
        cases.iter().flat_map(move |(case, states)| {
            states.iter().map(move |(state, name)| (["StateMachines", machine, "TestCases", case, state], name))
        })
    });
    let mut missing = uses.filter(|(_, name)| !responses.contains_key(*name));
    if let Some((keys, name)) = missing.next() {
        let place = keys.iter().fold("$".to_owned(), |place, key| invalid::field(&place, key));
        return Err(wrong(&place, format!("there is no mocked response '{name}'")));
    }
    Ok(MockConfig { machines, responses })
}

impl MockConfig {
    /// A test case by name, of the named state machine or else of the only one that has it.
    ///
    /// # Errors
    ///
    /// There is no such case, or more than one.
    pub fn case(&self, machine: Option<&str>, case: &str) -> Result<MockedCase, MockError> {
        let place = "$.StateMachines";
        let found: Vec<_> = self
            .machines
            .iter()
            .filter(|(name, _)| machine.is_none_or(|wanted| wanted == name.as_str()))
            .filter_map(|(name, cases)| Some((name, cases.get(case)?)))
            .collect();
        let states = match (found.as_slice(), machine) {
            ([(_, states)], _) => *states,
            ([], Some(machine)) => {
                return Err(wrong(place, format!("the state machine '{machine}' has no test case '{case}'")));
            }
            ([], None) => return Err(wrong(place, format!("no state machine has a test case '{case}'"))),
            (several, _) => {
                let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
                let reason = format!("more than one state machine has a test case '{case}': {}", names.join(", "));
                return Err(wrong(place, reason));
            }
        };
        // That each response is there was checked when the file was read.
        let responses =
            states.iter().filter_map(|(state, name)| Some((state.clone(), self.responses.get(name)?.clone())));
        Ok(MockedCase { name: case.to_owned(), responses: responses.collect(), calls: RefCell::default() })
    }
}

impl Resources for MockedCase {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(std::future::ready(self.answer(&task.state)))
    }
}

impl MockedCase {
    /// The states that it has answers for.
    pub fn states(&self) -> impl Iterator<Item = &str> {
        self.responses.keys().map(String::as_str)
    }

    fn answer(&self, state: &str) -> Result<Value, Failure> {
        let mut calls = self.calls.borrow_mut();
        let calls = calls.entry(state.to_owned()).or_default();
        let call = *calls;
        *calls += 1;
        let case = &self.name;
        let fatal = |cause| Failure { error: names::RUNTIME.to_owned(), cause };
        let response = self
            .responses
            .get(state)
            .ok_or_else(|| fatal(format!("The test case '{case}' does not mock the state '{state}'")))?;
        match response.iter().find(|(calls, _)| calls.contains(&call)) {
            Some((_, answer)) => answer.clone(),
            None => {
                Err(fatal(format!("The test case '{case}' has no response for call {call} of the state '{state}'")))
            }
        }
    }
}

fn response(value: &Value, place: &str) -> Result<Response, MockError> {
    let mut response: Response = Vec::new();
    for (key, answer) in object(value, place)? {
        let place = invalid::field(place, key);
        let calls =
            calls(key).ok_or_else(|| wrong(&place, "expected a number such as '0' or a range such as '1-2'"))?;
        let taken =
            |(other, _): &(RangeInclusive<u64>, _)| other.start() <= calls.end() && calls.start() <= other.end();
        if response.iter().any(taken) {
            return Err(wrong(&place, "another entry has an answer for the same call"));
        }
        response.push((calls, self::answer(answer, &place)?));
    }
    match response.is_empty() {
        true => Err(wrong(place, "expected at least one answer")),
        false => Ok(response),
    }
}

fn calls(key: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn answer(value: &Value, place: &str) -> Result<Result<Value, Failure>, MockError> {
    let fields = object(value, place)?;
    only(fields, place, &["Return", "Throw"])?;
    match (fields.get("Return"), fields.get("Throw")) {
        (Some(result), None) => Ok(Ok(result.clone())),
        (None, Some(thrown)) => {
            let place = invalid::field(place, "Throw");
            let thrown = object(thrown, &place)?;
            only(thrown, &place, &["Cause", "Error"])?;
            let text = |key| match thrown.get(key) {
                Some(value) => text_of(value, &invalid::field(&place, key)).map(str::to_owned),
                None => Ok(String::new()),
            };
            let (error, cause) = (text("Error")?, text("Cause")?);
            match error.is_empty() {
                true => Err(wrong(&place, "expected a field 'Error'")),
                false => Ok(Err(Failure { error, cause })),
            }
        }
        _ => Err(wrong(place, "expected one of 'Return' and 'Throw'")),
    }
}

fn section<T>(
    fields: &Map<String, Value>,
    place: &str,
    key: &str,
    read: impl Fn(&Value, &str) -> Result<T, MockError>,
) -> Result<BTreeMap<String, T>, MockError> {
    let value = fields.get(key).ok_or_else(|| wrong(place, format!("expected a field '{key}'")))?;
    let place = invalid::field(place, key);
    entries(object(value, &place)?, &place, read)
}

fn entries<T>(
    fields: &Map<String, Value>,
    place: &str,
    read: impl Fn(&Value, &str) -> Result<T, MockError>,
) -> Result<BTreeMap<String, T>, MockError> {
    let read = |(key, value): (&String, &Value)| Ok((key.clone(), read(value, &invalid::field(place, key))?));
    fields.iter().map(read).collect()
}

fn only(fields: &Map<String, Value>, place: &str, known: &[&str]) -> Result<(), MockError> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(wrong(&invalid::field(place, key), format!("unknown field: expected {}", known.join(", ")))),
    }
}

fn object<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, MockError> {
    value.as_object().ok_or_else(|| wrong(place, "expected an object"))
}

fn text_of<'v>(value: &'v Value, place: &str) -> Result<&'v str, MockError> {
    value.as_str().ok_or_else(|| wrong(place, "expected a text"))
}

fn wrong(path: &str, reason: impl Into<String>) -> MockError {
    MockError { path: path.to_owned(), reason: reason.into() }
}
