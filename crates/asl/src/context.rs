//! The context object, `$$`. A path that refers to it builds only the part that it needs.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::path::{Miss, Path, Step};
use crate::random::Random;
use crate::scope::Scope;

/// The facts about an execution that do not change while it runs.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) state_machine: String,
    pub(crate) state_machine_id: String,
    pub(crate) input: Arc<Value>,
    pub(crate) started: Timestamp,
}

/// The item of a Map iteration.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) index: u64,
    pub(crate) value: Arc<Value>,
}

/// What a path or an intrinsic function can read besides the data: the context object, variables and random numbers.
#[derive(Debug)]
pub(crate) struct Environment<'r> {
    pub(crate) identity: &'r Identity,
    pub(crate) scope: &'r Rc<Scope>,
    pub(crate) random: &'r Random,
    pub(crate) item: Option<&'r Item>,
    pub(crate) state: &'r str,
    pub(crate) entered: Timestamp,
    /// The retries so far. `None` in a state that cannot be retried.
    pub(crate) retries: Option<u32>,
    /// The task token, in an attempt at a `….waitForTaskToken` resource.
    pub(crate) token: Option<&'r str>,
    /// The maximum size of a filled-in payload template.
    pub(crate) payload_bytes: usize,
}

impl Environment<'_> {
    /// Follows a path into the context object.
    pub(crate) fn find(&self, path: &Path) -> Result<Value, Miss> {
        let section = match path.steps.first() {
            Some(Step::Name(section)) if !path.needs_root() => section,
            _ => return path.find(&self.all()).map(Cow::into_owned),
        };
        let entry = match path.steps.get(1) {
            Some(Step::Name(entry)) => Some(entry.as_str()),
            _ => None,
        };
        // These two parts can be large. The path selects from them before anything is copied.
        match (section.as_str(), entry, self.item) {
            ("Execution", Some("Input"), _) => path.find_from(&self.identity.input, 2).map(Cow::into_owned),
            ("Map", Some("Item"), Some(item)) if path.steps.get(2) == Some(&Step::Name("Value".to_owned())) => {
                path.find_from(&item.value, 3).map(Cow::into_owned)
            }
            _ => {
                let missing = match path.steps.len() > 1 || !path.is_definite() {
                    true => Miss::Before(0),
                    false => Miss::Last { beyond_end: false },
                };
                path.find_from(&self.section(section).ok_or(missing)?, 1).map(Cow::into_owned)
            }
        }
    }

    /// The whole context object.
    pub(crate) fn all(&self) -> Value {
        // The order of keys is the service's, here and in each section.
        let sections = ["Execution", "StateMachine", "State", "Task", "Map"];
        let present = sections.iter().filter_map(|name| Some(((*name).to_owned(), self.section(name)?)));
        Value::Object(present.collect())
    }

    fn section(&self, name: &str) -> Option<Value> {
        match name {
            "Execution" => Some(json!({
                "Id": self.identity.id,
                "Input": *self.identity.input,
                "StartTime": timestamp(self.identity.started),
                "Name": self.identity.name,
                "RoleArn": self.identity.role,
                "RedriveCount": 0,
            })),
            "State" => {
                let mut state = json!({"Name": self.state, "EnteredTime": timestamp(self.entered)});
                if let Some(retries) = self.retries {
                    state["RetryCount"] = retries.into();
                }
                Some(state)
            }
            "StateMachine" => Some(json!({"Id": self.identity.state_machine_id, "Name": self.identity.state_machine})),
            "Task" => self.token.map(|token| json!({"Token": token})),
            "Map" => self.item.map(|item| json!({"Item": {"Index": item.index, "Value": *item.value}})),
            _ => None,
        }
    }
}

/// A time in the format of the context object: UTC, in milliseconds.
pub(crate) fn timestamp(at: Timestamp) -> String {
    format!("{at:.3}")
}
