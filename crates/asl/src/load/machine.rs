//! Loads machines: the whole state machine, branches and item processors.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fields::Fields;
use super::states::SECONDS_MAX;
use super::{Loader, NAME_CHARS_MAX};
use crate::definition::{Machine, State};
use crate::invalid::{self, DefectCode};

/// The states that a transition within one machine can name.
pub(super) struct Targets<'m> {
    /// The index of each state by its name.
    indices: &'m BTreeMap<&'m str, usize>,
}

impl Targets<'_> {
    /// The index of the state that a field names.
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
    /// The whole state machine.
    pub(super) fn state_machine(&self, object: &Map<String, Value>) -> Option<Machine> {
        let mut fields = Fields::new(self, object, "$".to_owned());
        if is_jsonata(&mut fields) {
            return None;
        }
        fields.choice_of("Version", &["1.0"]);
        // The service accepts 0 too, where it can only mean that there is no timeout.
        let timeout_seconds = fields.integer("TimeoutSeconds", 0..=SECONDS_MAX).filter(|seconds| *seconds > 0);
        let machine = self.machine(&mut fields);
        fields.finish();
        machine.map(|machine| Machine { timeout_seconds, ..machine })
    }

    /// The fields that every machine has: `StartAt`, `States` and `Comment`. The caller finishes the fields.
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
        let outer_variables = self.check_variables(states, &states_place);
        let blocking_before = self.blocking_defects();
        let loaded: Vec<_> = states
            .iter()
            .map(|(name, state)| self.named_state(name, state, &states_place, &Targets { indices: &indices }))
            .collect();
        self.outer_variables.borrow_mut().truncate(outer_variables);
        // After another defect, an unreachable state is more likely a consequence than a cause. If a transition names a
        // state that does not exist, the service reports both.
        let is_blocked = self.blocking_defects() > blocking_before;
        if fields.place == "$" && !states.values().any(is_terminal) {
            fields.no_end();
        } else if !is_blocked {
            self.check_reachable(states, start_name?, &states_place);
        }
        if is_blocked {
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

    /// Checks that these states assign no variable that an enclosing machine assigns, and adds their variables to
    /// `outer_variables`. Returns the number of outer variables before.
    fn check_variables(&self, states: &Map<String, Value>, states_place: &str) -> usize {
        let mut own = BTreeSet::new();
        for (name, state) in states {
            let objects = [state].into_iter().chain(lists(state, "Catch")).chain(lists(state, "Choices"));
            for variable in objects.filter_map(|object| object.get("Assign")?.as_object()).flat_map(Map::keys) {
                let variable = variable.strip_suffix(".$").unwrap_or(variable);
                if self.outer_variables.borrow().iter().any(|outer| outer == variable) {
                    let reason = format!("The variable '{variable}' is already assigned in an enclosing state machine");
                    self.defect(invalid::field(states_place, name), reason);
                }
                own.insert(variable.to_owned());
            }
        }
        let mut outer = self.outer_variables.borrow_mut();
        let before = outer.len();
        outer.extend(own);
        before
    }

    /// Adds a defect for each state that no transition leads to. It ignores transitions to states that do not exist, which
    /// are defects already.
    fn check_reachable(&self, states: &Map<String, Value>, start: &str, states_place: &str) {
        let mut reached = BTreeSet::from([start]);
        let mut to_visit = vec![start];
        while let Some(at) = to_visit.pop() {
            let next = states.get(at).map(successors).unwrap_or_default();
            to_visit.extend(next.into_iter().filter(|next| reached.insert(next)));
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

/// Adds a defect for a `QueryLanguage` other than JSONPath. Returns whether it is JSONata, whose fields cannot be checked.
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

/// The names of the states that can follow this one.
fn successors(state: &Value) -> Vec<&str> {
    let rules = lists(state, "Catch").chain(lists(state, "Choices")).filter_map(|rule| rule.get("Next"));
    let own = [state.get("Next"), state.get("Default")].into_iter().flatten();
    own.chain(rules).filter_map(Value::as_str).collect()
}

/// Whether a state ends the machine that it is in. An object without `Type` is not a state.
fn is_terminal(state: &Value) -> bool {
    let ends = state.get("End").and_then(Value::as_bool).unwrap_or(false);
    state.get("Type").and_then(Value::as_str).is_some_and(|name| ends || matches!(name, "Succeed" | "Fail"))
}
