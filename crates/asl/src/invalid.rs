//! Why a definition is invalid.

use std::fmt;

use crate::path::{Path, Step};

/// The defects of a definition that Step Functions rejects or this engine does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// All defects, in the order in which loading finds them.
    pub defects: Vec<Defect>,
}

/// The kind of a defect, as the service classifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefectCode {
    /// Two states have the same name.
    DuplicateStateName,
    /// The definition is not JSON.
    InvalidJsonDescription,
    /// A state's name is too long.
    InvalidStateName,
    /// A variable's name is too long or has characters that are not allowed.
    InvalidVariableName,
    /// No state ends the state machine.
    MissingEndState,
    /// A transition names a state that does not exist, or no transition leads to a state.
    MissingTransitionTarget,
    /// A variable has a name that the language reserves.
    ReservedVariableName,
    /// Any other defect.
    SchemaValidationFailed,
}

/// One defect of a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// The kind of the defect.
    pub code: DefectCode,
    /// A JSON path into the definition, such as `$.States.Begin.Retry[0]`.
    pub path: String,
    /// What is wrong at that path, in the service's own text where it is known.
    pub reason: String,
    /// More details, which the service does not report.
    pub detail: Option<String>,
}

impl Invalid {
    /// The error message of `CreateStateMachine` for such a definition, as far as its texts are known.
    pub fn service_message(&self) -> String {
        let message = |defect: &Defect| format!("{}: {} at {}", defect.code.name(), defect.reason, defect.location());
        let defects: Vec<String> = self.defects.iter().map(message).collect();
        format!("Invalid State Machine Definition: '{}'", defects.join(", "))
    }
}

impl DefectCode {
    /// The service's name for the kind.
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
    /// The path in the service's notation: `/States/Begin/Retry[0]`.
    pub fn location(&self) -> String {
        if self.code == DefectCode::MissingEndState {
            // The service reports no location for this defect.
            return "null".to_owned();
        }
        // The path of a defect has names and indices only.
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

/// The path of the field `key` of the object at `place`.
pub(crate) fn field(place: &str, key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match plain {
        true => format!("{place}.{key}"),
        false => format!("{place}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}
