//! State machines: the whole one, branches and item processors.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fields::Fields;
use super::states::SECONDS_MAX;
use super::{Loader, NAME_CHARS_MAX};
use crate::definition::{Machine, State};
use crate::invalid::{self, DefectCode};

/// What a state's loader must know about the machine that the state is in.
pub(super) struct Targets<'m> {
    indices: &'m BTreeMap<&'m str, usize>,
}

impl Targets<'_> {
    /// The state that a field names as the next one.
    pub(super) fn find(&self, fields: &mut Fields<'_>, key: &'static str) -> Option<usize> {
        let name = fields.text(key)?;
        let index = self.indices.get(name).copied();
        if index.is_none() {
            fields.missing_target(key, name);
        }
        index
    }
}

impl Loader {
    /// The definition as a whole.
    pub(super) fn whole(&self, object: &Map<String, Value>) -> Option<Machine> {
        let mut fields = Fields::new(self, object, "$".to_owned());
        if is_jsonata(&mut fields) {
            return None;
        }
        fields.choice_of("Version", &["1.0"]);
        // The service takes 0 as well; there it must be as good as none.
        let timeout_seconds = fields.integer("TimeoutSeconds", 0..=SECONDS_MAX).filter(|seconds| *seconds > 0);
        let machine = self.machine(&mut fields);
        fields.finish();
        machine.map(|machine| Machine { timeout_seconds, ..machine })
    }

    /// What every machine has: `StartAt`, `States`, `Comment`. The caller finishes the fields.
    pub(super) fn machine(&self, fields: &mut Fields<'_>) -> Option<Machine> {
        let comment = fields.get("Comment").and_then(Value::as_str).map(str::to_owned);
        let missing: Vec<_> = ["States", "StartAt"].into_iter().filter(|key| !fields.has(key)).collect();
        if !missing.is_empty() {
            fields.defect_here(format!("These fields are required: [{}]", missing.join(", ")));
        }
        let start_name = fields.text("StartAt");
        let states_place = fields.place_of("States");
        let states = match fields.get("States")? {
            Value::Object(states) => states,
            _ => {
                fields.defect("States", "Expected value of type Object");
                return None;
            }
        };
        if states.is_empty() {
            fields.defect("States", "Value cannot be empty");
        }
        let indices: BTreeMap<&str, usize> =
            states.keys().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        if let Some(name) = start_name
            && !indices.contains_key(name)
        {
            fields.missing_target("StartAt", name);
        }
        let assigned = self.check_variables(states, &states_place);
        let puzzles_before = self.puzzles_so_far();
        let loaded: Vec<_> = states
            .iter()
            .map(|(name, state)| self.named_state(name, state, &states_place, &Targets { indices: &indices }))
            .collect();
        self.variables_around.borrow_mut().truncate(assigned);
        // After another defect, a state that cannot be reached is more likely a consequence than a cause. Where a
        // transition leads nowhere, the service tells both.
        let puzzled = self.puzzles_so_far() > puzzles_before;
        if fields.place == "$" && !states.values().any(is_terminal) {
            fields.no_end();
        } else if !puzzled {
            self.check_reachable(states, start_name?, &states_place);
        }
        if puzzled {
            return None;
        }
        let start = indices.get(start_name?).copied();
        Some(Machine {
            comment,
            timeout_seconds: None,
            start: start?,
            states: loaded.into_iter().collect::<Option<_>>()?,
        })
    }

    fn named_state(&self, name: &str, value: &Value, states_place: &str, targets: &Targets<'_>) -> Option<State> {
        let place = invalid::field(states_place, name);
        if name.chars().count() > NAME_CHARS_MAX {
            let reason = format!(
                "Invalid State name: State '{name}' exceeds the {NAME_CHARS_MAX}-character limit allowed by the service"
            );
            self.defect_of(DefectCode::InvalidStateName, place.clone(), reason);
        }
        if let Some(first) = self.names.borrow_mut().insert(name.to_owned(), place.clone()) {
            let reason = format!("Duplicate State name: {name}, which is also at {first}");
            self.defect_of(DefectCode::DuplicateStateName, place.clone(), reason);
        }
        let mut fields = Fields::of(self, value, place)?;
        if is_jsonata(&mut fields) {
            return None;
        }
        self.state(name, fields, targets)
    }

    /// Notes the variables that these states assign, after comparing them with those of the machines around.
    /// Answers how many there were before.
    fn check_variables(&self, states: &Map<String, Value>, states_place: &str) -> usize {
        let mut own = BTreeSet::new();
        for (name, state) in states {
            let places = [state].into_iter().chain(lists(state, "Catch")).chain(lists(state, "Choices"));
            for variable in places.filter_map(|place| place.get("Assign")?.as_object()).flat_map(Map::keys) {
                let variable = variable.strip_suffix(".$").unwrap_or(variable);
                if self.variables_around.borrow().iter().any(|around| around == variable) {
                    let reason = format!("The variable '{variable}' is already assigned around this state machine");
                    self.defect(invalid::field(states_place, name), reason);
                }
                own.insert(variable.to_owned());
            }
        }
        let mut around = self.variables_around.borrow_mut();
        let before = around.len();
        around.extend(own);
        before
    }

    /// A transition that leads nowhere is a defect already, and none that this looks at.
    fn check_reachable(&self, states: &Map<String, Value>, start: &str, states_place: &str) {
        let mut reached = BTreeSet::from([start]);
        let mut to_follow = vec![start];
        while let Some(at) = to_follow.pop() {
            let next = states.get(at).map(followers).unwrap_or_default();
            to_follow.extend(next.into_iter().filter(|next| reached.insert(next)));
        }
        for name in states.keys().filter(|name| !reached.contains(name.as_str())) {
            self.defect_of(
                DefectCode::MissingTransitionTarget,
                invalid::field(states_place, name),
                format!("State \"{name}\" is not reachable."),
            );
        }
    }
}

/// Refuses a `QueryLanguage` other than JSONPath; what uses it cannot be looked at further.
pub(super) fn is_jsonata(fields: &mut Fields<'_>) -> bool {
    match fields.text("QueryLanguage") {
        Some("JSONata") => {
            fields.defect("QueryLanguage", "The query language JSONata is not supported: only JSONPath is");
            true
        }
        Some("JSONPath") | None => false,
        Some(_) => {
            fields.choice_of("QueryLanguage", &["JSONPath", "JSONata"]);
            false
        }
    }
}

fn lists<'j>(state: &'j Value, key: &str) -> impl Iterator<Item = &'j Value> {
    state.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The states that may come after this one.
fn followers(state: &Value) -> Vec<&str> {
    let rules = lists(state, "Catch").chain(lists(state, "Choices")).filter_map(|rule| rule.get("Next"));
    let own = [state.get("Next"), state.get("Default")].into_iter().flatten();
    own.chain(rules).filter_map(Value::as_str).collect()
}

/// Whether a state ends the machine that it is in. What has no type is no state.
fn is_terminal(state: &Value) -> bool {
    let ends = state.get("End").and_then(Value::as_bool).unwrap_or(false);
    state.get("Type").and_then(Value::as_str).is_some_and(|name| ends || matches!(name, "Succeed" | "Fail"))
}
