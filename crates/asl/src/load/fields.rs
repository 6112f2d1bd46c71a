//! A JSON object that remembers which of its fields were read.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Loader;
use crate::definition::{ResultPath, Select, Setting};
use crate::invalid::{self, DefectCode};
use crate::path::{Path, Root};
use crate::template::Template;
use crate::time;

/// Fields that only the query language JSONata has.
const JSONATA_FIELDS: [&str; 4] = ["Arguments", "Condition", "Items", "Output"];

/// The fields of an object at a place of the definition. Each method that reads a field adds a defect if its value is not
/// valid.
pub(super) struct Fields<'j> {
    loader: &'j Loader,
    object: &'j Map<String, Value>,
    /// The JSON path of the object in the definition.
    pub(super) place: String,
    known: BTreeSet<&'static str>,
}

impl<'j> Fields<'j> {
    pub(super) fn new(loader: &'j Loader, object: &'j Map<String, Value>, place: String) -> Fields<'j> {
        Fields { loader, object, place, known: BTreeSet::from(["Comment"]) }
    }

    /// The fields of a value that must be an object.
    pub(super) fn of(loader: &'j Loader, value: &'j Value, place: String) -> Option<Fields<'j>> {
        match value {
            Value::Object(object) => Some(Fields::new(loader, object, place)),
            _ => {
                loader.defect(place, "Expected value of type Object");
                None
            }
        }
    }

    pub(super) fn place_of(&self, key: &str) -> String {
        invalid::field(&self.place, key)
    }

    pub(super) fn defect(&self, key: &str, reason: impl Into<String>) {
        self.loader.defect(self.place_of(key), reason);
    }

    /// Adds a defect of one item of a list.
    pub(super) fn defect_of_item(&self, key: &str, index: usize, reason: impl Into<String>) {
        self.loader.defect(format!("{}[{index}]", self.place_of(key)), reason);
    }

    pub(super) fn defect_of(&self, code: DefectCode, key: &str, reason: impl Into<String>) {
        self.loader.defect_of(code, self.place_of(key), reason);
    }

    /// Adds a defect for a field that names a state that does not exist. The service calls any such field a `Next`.
    pub(super) fn missing_target(&self, key: &str, name: &str) {
        let reason = format!("Missing 'Next' target: {name}");
        self.loader.defect_of(DefectCode::MissingTransitionTarget, self.place_of(key), reason);
    }

    /// Adds a defect for a state machine that no state ends.
    pub(super) fn no_end(&self) {
        self.loader.defect_of(DefectCode::MissingEndState, self.place.clone(), "Workflow has no terminal state");
    }

    /// Adds a defect of the object as a whole.
    pub(super) fn defect_here(&self, reason: impl Into<String>) {
        self.loader.defect(self.place.clone(), reason);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// The value of a field. [`finish`](Self::finish) then knows that the field is supported.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'j Value> {
        self.known.insert(key);
        self.object.get(key)
    }

    /// Adds a defect for each field that was not read.
    pub(super) fn finish(self) {
        if self.object.get("Comment").is_some_and(|comment| !comment.is_string()) {
            self.defect("Comment", "Expected value of type String");
        }
        for key in self.object.keys().filter(|key| !self.known.contains(key.as_str())) {
            // The service reports both of these at the object, not at the field.
            match JSONATA_FIELDS.contains(&key.as_str()) {
                true => self.defect_here(format!(
                    "The QueryLanguage is set to 'JSONPath', but field '{key}' is only supported for the 'JSONata' \
                     QueryLanguage"
                )),
                false => self.defect_here(format!("Field '{key}' is not supported")),
            }
        }
    }

    /// Adds a defect if the object has more than one of these fields.
    pub(super) fn at_most_one_of(&self, keys: &[&str]) {
        if keys.iter().filter(|key| self.has(key)).count() > 1 {
            self.defect_here(format!("There should only be one of the following fields: [{}]", keys.join(", ")));
        }
    }

    /// Adds a defect unless the object has exactly one of these fields.
    pub(super) fn exactly_one_of(&self, keys: &[&str]) {
        self.at_most_one_of(keys);
        if !keys.iter().any(|key| self.has(key)) {
            self.defect_here(format!(
                "This object should have only one of the following fields: [{}]",
                keys.join(", ")
            ));
        }
    }

    /// A string that must be one of `values`.
    pub(super) fn choice_of(&mut self, key: &'static str, values: &[&str]) -> Option<&'j str> {
        let text = self.text(key)?;
        match values.contains(&text) {
            true => Some(text),
            false => {
                self.defect(key, format!("Value should be one of the following: [{}]", values.join(", ")));
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<&'j str> {
        let value = self.get(key)?;
        if value.as_str().is_none() {
            self.defect(key, "Expected value of type String");
        }
        value.as_str()
    }

    pub(super) fn required_text(&mut self, key: &'static str) -> Option<&'j str> {
        if !self.has(key) {
            self.defect_here(format!("These fields are required: [{key}]"));
        }
        self.text(key)
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        if !value.is_boolean() {
            self.defect(key, "Expected value of type Boolean");
        }
        value.as_bool()
    }

    pub(super) fn integer(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        match value.as_u64() {
            Some(number) if range.contains(&number) => Some(number),
            Some(number) if number > *range.end() => {
                self.defect(key, format!("Maximum value is {}", range.end()));
                None
            }
            _ if value.is_i64() || value.is_u64() => {
                self.defect(key, format!("Minimum value is {}", range.start()));
                None
            }
            _ => {
                self.defect(key, "Expected value of type Integer");
                None
            }
        }
    }

    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.get(key)?;
        match value.as_f64() {
            Some(number) if range.contains(&number) => Some(number),
            Some(number) => {
                // The service prints these numbers with at least one decimal place.
                let reason = match number < *range.start() {
                    true => format!("Minimum value is {:?}", range.start()),
                    false => format!("Maximum value is {:?}", range.end()),
                };
                self.defect(key, reason);
                None
            }
            None => {
                self.defect(key, "Expected value of type Number");
                None
            }
        }
    }

    /// An array that must have at least one item.
    pub(super) fn list(&mut self, key: &'static str) -> Option<&'j Vec<Value>> {
        match self.get(key)? {
            Value::Array(items) if items.is_empty() => {
                self.defect(key, "Value cannot be empty");
                None
            }
            Value::Array(items) => Some(items),
            _ => {
                self.defect(key, "Expected value of type Array");
                None
            }
        }
    }

    pub(super) fn object(&mut self, key: &'static str) -> Option<Fields<'j>> {
        let value = self.get(key)?;
        Fields::of(self.loader, value, self.place_of(key))
    }

    pub(super) fn template(&mut self, key: &'static str) -> Option<Template> {
        let value = self.get(key)?;
        let mut defects = Vec::new();
        let template = Template::parse(value, &mut defects);
        for (place, field_defect) in defects {
            self.loader.field_defect(format!("{}{place}", self.place_of(key)), field_defect);
        }
        Some(template)
    }

    /// A payload template that must be an object.
    pub(super) fn object_template(&mut self, key: &'static str) -> Option<Template> {
        if self.object.get(key).is_some_and(|value| !value.is_object()) {
            self.known.insert(key);
            self.defect(key, "Expected value of type Object");
            return None;
        }
        self.template(key)
    }

    pub(super) fn timestamp(&mut self, key: &'static str) -> Option<Timestamp> {
        let at = time::parse(self.text(key)?);
        if at.is_none() {
            self.defect(key, "String does not match RFC3339 timestamp");
        }
        at
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<Path> {
        let text = self.text(key)?;
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(reason) => {
                self.defect(key, format!("Value must be a valid JSONPath. {reason}"));
                None
            }
        }
    }

    /// A path in a field that takes a reference path, but of which the service checks only the start.
    pub(super) fn rooted_path(&mut self, key: &'static str) -> Option<Path> {
        let text = self.get(key)?.as_str();
        if text.is_some_and(|text| !text.starts_with('$')) {
            self.defect(key, "Value is not a Reference Path: Reference path didn't start with '$'");
            return None;
        }
        self.path(key)
    }

    pub(super) fn reference_path(&mut self, key: &'static str) -> Option<Path> {
        let path = self.rooted_path(key)?;
        match path.is_reference() {
            true => Some(path),
            false => {
                self.defect(key, "Value is not a Reference Path: it can have only names and indices");
                None
            }
        }
    }

    /// `InputPath` and `OutputPath`.
    pub(super) fn select(&mut self, key: &'static str) -> Select {
        match self.object.get(key) {
            Some(Value::Null) => {
                self.known.insert(key);
                Select::Nothing
            }
            _ => match self.path(key) {
                Some(path) if path.is_all_data() => Select::All,
                Some(path) => Select::Path(path),
                None => Select::All,
            },
        }
    }

    pub(super) fn result_path(&mut self) -> ResultPath {
        if self.get("ResultPath").is_some_and(Value::is_null) {
            return ResultPath::Discard;
        }
        match self.reference_path("ResultPath") {
            None => ResultPath::Replace,
            Some(path) if path.root != Root::Data => {
                self.defect(
                    "ResultPath",
                    "Value must start with '$.': a result cannot be written to the context object or to a variable",
                );
                ResultPath::Replace
            }
            Some(path) if path.steps.is_empty() => ResultPath::Replace,
            Some(path) => ResultPath::At(path.steps),
        }
    }

    /// A reference path into the data or a variable. The settings of a Map accept no other path.
    pub(super) fn map_path(&mut self, key: &'static str) -> Option<Path> {
        let path = self.reference_path(key)?;
        match path.root {
            Root::Context => {
                self.defect(key, "Value is not a Reference Path: only ItemsPath can refer to the context object");
                None
            }
            Root::Data | Root::Variable(_) => Some(path),
        }
    }

    /// A number under `key`, or the path of one under `path_key`.
    pub(super) fn setting(
        &mut self,
        key: &'static str,
        path_key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Setting<u64>> {
        self.fixed_or(key, path_key, range, Self::reference_path)
    }

    /// The same for a Map, with a [`map_path`](Self::map_path).
    pub(super) fn map_setting(
        &mut self,
        key: &'static str,
        path_key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Setting<u64>> {
        self.fixed_or(key, path_key, range, Self::map_path)
    }

    fn fixed_or(
        &mut self,
        key: &'static str,
        path_key: &'static str,
        range: RangeInclusive<u64>,
        read: fn(&mut Self, &'static str) -> Option<Path>,
    ) -> Option<Setting<u64>> {
        self.at_most_one_of(&[key, path_key]);
        let fixed = self.integer(key, range).map(Setting::Fixed);
        let path = read(self, path_key).map(Setting::Path);
        fixed.or(path)
    }
}
