//! Results of Task states from a mock configuration file of Step Functions Local:
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
//! A state's first call gets the result of `0`, its second call that of `1`, and so on. A call that has no result ends
//! the execution, and no `Catch` matches its error: a missing mock must not look like a tested path.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use crate::error::names;
use crate::execution::Failure;
use crate::invalid;
use crate::resources::{Resources, Task};

/// A mock configuration file.
#[derive(Clone, Debug)]
pub struct MockConfig {
    /// The name of each mocked response, by state machine, test case and state.
    machines: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    responses: BTreeMap<String, Response>,
}

/// Why a mock configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct MockError {
    /// The JSON path of the error in the file.
    pub path: String,
    /// What is wrong at that path.
    pub reason: String,
}

/// The mocked responses of one test case. It counts the calls of each state.
#[derive(Debug)]
pub struct MockedCase {
    name: String,
    responses: BTreeMap<String, Response>,
    /// The number of calls of each state.
    calls: RefCell<BTreeMap<String, u64>>,
}

/// The results of a state, each with the numbers of the calls that get it.
type Response = Vec<(RangeInclusive<u64>, Result<Value, Failure>)>;

/// Parses and validates a mock configuration.
///
/// # Errors
///
/// The first part of it that does not have the expected format, or the first response that does not exist.
pub fn parse(text: &str) -> Result<MockConfig, MockError> {
    let file: Value = serde_json::from_str(text).map_err(|error| error_at("$", format!("not JSON: {error}")))?;
    let file = object(&file, "$")?;
    check_fields(file, "$", &["MockedResponses", "StateMachines"])?;
    let machines = section(file, "$", "StateMachines", |machine, place| {
        let machine = object(machine, place)?;
        check_fields(machine, place, &["TestCases"])?;
        section(machine, place, "TestCases", |case, place| {
            entries(object(case, place)?, place, |name, place| string(name, place).map(str::to_owned))
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
        return Err(error_at(&place, format!("there is no mocked response '{name}'")));
    }
    Ok(MockConfig { machines, responses })
}

impl MockConfig {
    /// A test case by its name. Without a state machine, it is the case of the only one that has such a case.
    ///
    /// # Errors
    ///
    /// No such case exists, or more than one does.
    pub fn case(&self, machine: Option<&str>, case: &str) -> Result<MockedCase, MockError> {
        let place = "$.StateMachines";
        let found: Vec<_> = self
            .machines
            .iter()
            .filter(|(name, _)| machine.is_none_or(|machine| machine == name.as_str()))
            .filter_map(|(name, cases)| Some((name, cases.get(case)?)))
            .collect();
        let states = match (found.as_slice(), machine) {
            ([(_, states)], _) => *states,
            ([], Some(machine)) => {
                return Err(error_at(place, format!("the state machine '{machine}' has no test case '{case}'")));
            }
            ([], None) => return Err(error_at(place, format!("no state machine has a test case '{case}'"))),
            (several, _) => {
                let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
                let reason = format!("more than one state machine has a test case '{case}': {}", names.join(", "));
                return Err(error_at(place, reason));
            }
        };
        // Parsing checked that each response exists.
        let responses =
            states.iter().filter_map(|(state, name)| Some((state.clone(), self.responses.get(name)?.clone())));
        Ok(MockedCase { name: case.to_owned(), responses: responses.collect(), calls: RefCell::default() })
    }
}

impl Resources for MockedCase {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(std::future::ready(self.next_result(&task.state)))
    }
}

impl MockedCase {
    /// The names of the states that have responses.
    pub fn states(&self) -> impl Iterator<Item = &str> {
        self.responses.keys().map(String::as_str)
    }

    fn next_result(&self, state: &str) -> Result<Value, Failure> {
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
            Some((_, result)) => result.clone(),
            None => {
                Err(fatal(format!("The test case '{case}' has no response for call {call} of the state '{state}'")))
            }
        }
    }
}

fn response(value: &Value, place: &str) -> Result<Response, MockError> {
    let mut response: Response = Vec::new();
    for (key, result) in object(value, place)? {
        let place = invalid::field(place, key);
        let calls =
            calls(key).ok_or_else(|| error_at(&place, "expected a number such as '0' or a range such as '1-2'"))?;
        let overlaps =
            |(other, _): &(RangeInclusive<u64>, _)| other.start() <= calls.end() && calls.start() <= other.end();
        if response.iter().any(overlaps) {
            return Err(error_at(&place, "another entry has a result for the same call"));
        }
        response.push((calls, self::result(result, &place)?));
    }
    match response.is_empty() {
        true => Err(error_at(place, "expected at least one result")),
        false => Ok(response),
    }
}

fn calls(key: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn result(value: &Value, place: &str) -> Result<Result<Value, Failure>, MockError> {
    let fields = object(value, place)?;
    check_fields(fields, place, &["Return", "Throw"])?;
    match (fields.get("Return"), fields.get("Throw")) {
        (Some(result), None) => Ok(Ok(result.clone())),
        (None, Some(thrown)) => {
            let place = invalid::field(place, "Throw");
            let thrown = object(thrown, &place)?;
            check_fields(thrown, &place, &["Cause", "Error"])?;
            let field = |key| match thrown.get(key) {
                Some(value) => string(value, &invalid::field(&place, key)).map(str::to_owned),
                None => Ok(String::new()),
            };
            let (error, cause) = (field("Error")?, field("Cause")?);
            match error.is_empty() {
                true => Err(error_at(&place, "expected a field 'Error'")),
                false => Ok(Err(Failure { error, cause })),
            }
        }
        _ => Err(error_at(place, "expected one of 'Return' and 'Throw'")),
    }
}

fn section<T>(
    fields: &Map<String, Value>,
    place: &str,
    key: &str,
    read: impl Fn(&Value, &str) -> Result<T, MockError>,
) -> Result<BTreeMap<String, T>, MockError> {
    let value = fields.get(key).ok_or_else(|| error_at(place, format!("expected a field '{key}'")))?;
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

fn check_fields(fields: &Map<String, Value>, place: &str, known: &[&str]) -> Result<(), MockError> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            Err(error_at(&invalid::field(place, key), format!("unknown field: expected {}", known.join(", "))))
        }
    }
}

fn object<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, MockError> {
    value.as_object().ok_or_else(|| error_at(place, "expected an object"))
}

fn string<'v>(value: &'v Value, place: &str) -> Result<&'v str, MockError> {
    value.as_str().ok_or_else(|| error_at(place, "expected a string"))
}

fn error_at(path: &str, reason: impl Into<String>) -> MockError {
    MockError { path: path.to_owned(), reason: reason.into() }
}
