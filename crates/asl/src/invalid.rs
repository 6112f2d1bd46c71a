//! Why a definition is refused.

use std::fmt;

/// A definition that the service, or this engine, does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// All that is wrong with it, in the order of the text's keys.
    pub defects: Vec<Defect>,
}

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// A JSON path into the definition, such as `$.States.Begin.Retry[0]`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
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
