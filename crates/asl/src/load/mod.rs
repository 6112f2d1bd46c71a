//! From the text of a definition to its types, with all defects found on the way.
//!
//! Two rules: nothing is ignored (a field that no one reads is a defect), and loading goes on after a defect, so that
//! one look tells all of them.

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
use crate::template::Misfit;

/// Characters of a state's name that the service takes.
const NAME_CHARS_MAX: usize = 80;

/// Reads and checks a definition.
pub(crate) fn load(definition: &str) -> Result<Machine, Invalid> {
    let loader = Loader::default();
    let machine = match serde_json::from_str::<Value>(definition) {
        Ok(Value::Object(object)) => {
            duplicates::find(definition, &loader);
            loader.whole(&object)
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
            // One cause can be found twice, from both of its ends.
            defects.dedup();
            Err(Invalid { defects })
        }
    }
}

/// What loading gathers.
#[derive(Debug, Default)]
struct Loader {
    defects: RefCell<Vec<Defect>>,
    /// Where each state's name was first seen. Names are unique over the whole definition.
    names: RefCell<BTreeMap<String, String>>,
    /// The variables that the machines around the present one assign.
    variables_around: RefCell<Vec<String>>,
}

impl Loader {
    fn defect(&self, path: String, reason: impl Into<String>) {
        self.defect_of(DefectCode::SchemaValidationFailed, path, reason);
    }

    fn defect_of(&self, code: DefectCode, path: String, reason: impl Into<String>) {
        self.defects.borrow_mut().push(Defect { code, path, reason: reason.into(), detail: None });
    }

    fn misfit(&self, path: String, Misfit { reason, detail }: Misfit) {
        self.defects.borrow_mut().push(Defect { code: DefectCode::SchemaValidationFailed, path, reason, detail });
    }

    /// How many defects were found so far that leave it unknown what a state does.
    fn puzzles_so_far(&self) -> usize {
        self.defects.borrow().iter().filter(|defect| defect.code != DefectCode::MissingTransitionTarget).count()
    }
}

#[cfg(test)]
mod tests;
