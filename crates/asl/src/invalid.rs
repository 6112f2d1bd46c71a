//! Why a definition is refused.

use std::fmt;

use crate::path::{Path, Step};

/// A definition that the service, or this engine, does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// All that is wrong with it, in the order of the text's keys.
    pub defects: Vec<Defect>,
}

/// The service's name for a kind of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefectCode {
    /// Two states have the same name.
    DuplicateStateName,
    /// The text is no JSON.
    InvalidJsonDescription,
    /// The name of a state is too long.
    InvalidStateName,
    /// The name of a variable has characters that no such name has.
    InvalidVariableName,
    /// No state ends the state machine.
    MissingEndState,
    /// A state that is named as the next one is not there, or a state that is there is never the next one.
    MissingTransitionTarget,
    /// A variable has a name that the language keeps for itself.
    ReservedVariableName,
    /// Anything else.
    SchemaValidationFailed,
}

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Its kind.
    pub code: DefectCode,
    /// A JSON path into the definition, such as `$.States.Begin.Retry[0]`.
    pub path: String,
    /// What is wrong there, in the service's words where they are known.
    pub reason: String,
    /// What the service does not tell of it.
    pub detail: Option<String>,
}

impl Invalid {
    /// What `CreateStateMachine` answers to such a definition, as far as its words are known.
    pub fn service_message(&self) -> String {
        let told = |defect: &Defect| format!("{}: {} at {}", defect.code.name(), defect.reason, defect.location());
        let defects: Vec<String> = self.defects.iter().map(told).collect();
        format!("Invalid State Machine Definition: '{}'", defects.join(", "))
    }
}

impl DefectCode {
    /// As the service writes it.
    pub fn name(self) -> &'static str {
        match self {
            DefectCode::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            DefectCode::DuplicateStateName => "DUPLICATE_STATE_NAME",
            DefectCode::InvalidStateName => "INVALID_STATE_NAME",
            DefectCode::InvalidVariableName => "INVALID_VARIABLE_NAME",
            DefectCode::MissingEndState => "MISSING_END_STATE",
            DefectCode::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            DefectCode::ReservedVariableName => "RESERVED_VARIABLE_NAME",
            DefectCode::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
        }
    }
}

impl Defect {
    /// The path in the service's way of writing it: `/States/Begin/Retry[0]`.
    pub fn location(&self) -> String {
        if self.code == DefectCode::MissingEndState {
            // The service has no place for it.
            return "null".to_owned();
        }
        // A place in a definition is a path of names and indices.
        let steps = Path::parse(&self.path).map(|path| path.steps).unwrap_or_default();
        if steps.is_empty() {
            return "/".to_owned();
        }
        let mut location = String::new();
        for step in &steps {
            match step {
                Step::Name(name) => location.push_str(&format!("/{name}")),
                Step::Index(index) => location.push_str(&format!("[{index}]")),
            }
        }
        location
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, defect) in self.defects.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{defect}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// The path of a field of what is at `place`.
pub(crate) fn field(place: &str, key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match plain {
        true => format!("{place}.{key}"),
        false => format!("{place}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}
