//! Parses and validates a definition.
//!
//! Two rules hold. Loading ignores nothing: a field that no code reads is a defect. Loading continues after a defect,
//! so that one attempt reports all of them.

mod choice;
mod duplicates;
mod fields;
mod handling;
mod machine;
mod map;
mod resource;
mod states;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::definition::Machine;
use crate::invalid::{Defect, DefectCode, Invalid};
use crate::template::FieldDefect;

/// The maximum length of the name of a state or a variable, in characters.
const NAME_CHARS_MAX: usize = 80;

/// Parses and validates a definition.
pub(crate) fn load(definition: &str) -> Result<Machine, Invalid> {
    let loader = Loader::default();
    let machine = match serde_json::from_str::<Value>(definition) {
        Ok(Value::Object(object)) => {
            duplicates::find(definition, &loader);
            loader.state_machine(&object)
        }
        Ok(_) => {
            loader.defect("$".to_owned(), "Definition must be a valid JSON object");
            None
        }
        Err(_) if definition.trim().is_empty() => {
            loader.defect("$".to_owned(), "Definition must be a valid JSON object");
            None
        }
        Err(error) => {
            let reason = format!("Definition must be a valid JSON object: {error}");
            loader.defect_of(DefectCode::InvalidJsonDescription, "$".to_owned(), reason);
            None
        }
    };
    let mut defects = loader.defects.into_inner();
    match machine {
        Some(machine) if defects.is_empty() => Ok(machine),
        _ => {
            // Two checks can find the same defect.
            defects.dedup();
            Err(Invalid { defects })
        }
    }
}

/// The state of loading one definition.
#[derive(Debug, Default)]
struct Loader {
    defects: RefCell<Vec<Defect>>,
    /// The path of the first state of each name. Names must be unique in the whole definition.
    names: RefCell<BTreeMap<String, String>>,
    /// The variables that the enclosing machines assign.
    outer_variables: RefCell<Vec<String>>,
}

impl Loader {
    fn defect(&self, path: String, reason: impl Into<String>) {
        self.defect_of(DefectCode::SchemaValidationFailed, path, reason);
    }

    fn defect_of(&self, code: DefectCode, path: String, reason: impl Into<String>) {
        self.defects.borrow_mut().push(Defect { code, path, reason: reason.into(), detail: None });
    }

    fn field_defect(&self, path: String, FieldDefect { reason, detail }: FieldDefect) {
        self.defects.borrow_mut().push(Defect { code: DefectCode::SchemaValidationFailed, path, reason, detail });
    }

    /// The number of defects so far that leave open what a state does.
    fn blocking_defects(&self) -> usize {
        self.defects.borrow().iter().filter(|defect| defect.code != DefectCode::MissingTransitionTarget).count()
    }
}

#[cfg(test)]
mod tests;
