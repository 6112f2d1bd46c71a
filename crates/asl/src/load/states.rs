//! Loads states, with one function for each type. Choice and Map have their own files.

use std::sync::Arc;

use super::Loader;
use super::fields::Fields;
use super::machine::Targets;
use super::resource;
use crate::definition::{Kind, Parallel, Pass, Select, Setting, State, TaskKind, Text, WaitUntil};
use crate::event::TaskEvents;
use crate::invalid::DefectCode;
use crate::template::{Expression, Template};

/// The maximum of every timeout, interval and wait in a definition.
pub(super) const SECONDS_MAX: u64 = 99_999_999;

/// The state types, in the order of the service's error text.
const TYPES: &str = "Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map";

impl Loader {
    pub(super) fn state(&self, name: &str, mut fields: Fields<'_>, targets: &Targets<'_>) -> Option<State> {
        if !fields.has("Type") {
            fields.defect_here("The field 'Type' is required");
        }
        let type_name = fields.text("Type")?;
        let kind = match type_name {
            "Choice" => self.choice(&mut fields, targets).map(Kind::Choice),
            "Fail" => Some(fail(&mut fields)),
            "Map" => self.map(&mut fields, targets).map(Box::new).map(Kind::Map),
            "Parallel" => self.parallel(&mut fields, targets).map(Box::new).map(Kind::Parallel),
            "Pass" => Some(Kind::Pass(Box::new(pass(&mut fields)))),
            "Succeed" => Some(Kind::Succeed),
            "Task" => self.task(&mut fields, targets).map(Box::new).map(Kind::Task),
            "Wait" => wait(&mut fields).map(Kind::Wait),
            _ => {
                fields.defect("Type", format!("The field 'Type' should have one of these values: [{TYPES}]"));
                return None;
            }
        };
        let state = self.common_fields(name, type_name, kind, &mut fields, targets);
        fields.finish();
        state
    }

    /// The fields that several types share.
    fn common_fields(
        &self,
        name: &str,
        type_name: &str,
        kind: Option<Kind>,
        fields: &mut Fields<'_>,
        targets: &Targets<'_>,
    ) -> Option<State> {
        let (mut input_path, mut output_path) = (Select::All, Select::All);
        if type_name != "Fail" {
            (input_path, output_path) = (fields.select("InputPath"), fields.select("OutputPath"));
        }
        let mut assign = None;
        if !matches!(type_name, "Fail" | "Succeed") {
            assign = variables(fields);
        }
        let mut next = None;
        if !matches!(type_name, "Choice" | "Fail" | "Succeed") {
            next = transition(fields, targets);
        }
        Some(State { name: Arc::from(name), input_path, output_path, assign, next, kind: kind? })
    }

    fn task(&self, fields: &mut Fields<'_>, targets: &Targets<'_>) -> Option<TaskKind> {
        let resource = fields.required_text("Resource");
        if let Some(reason) = resource.and_then(resource::defect) {
            fields.defect("Resource", reason);
        }
        let parameters_as_written = fields.get("Parameters").cloned();
        let parameters = fields.template("Parameters");
        let credentials = fields.object_template("Credentials");
        if let Some(template) = &credentials {
            if !template.names().contains(&"RoleArn") {
                fields.defect("Credentials", "The field 'RoleArn' is required but was missing");
            }
            if resource.is_some_and(|resource| TaskEvents::of(resource) == TaskEvents::Activity) {
                fields.defect("Credentials", "The field 'Credentials' is not supported for activities");
            }
        }
        let timeout = fields.setting("TimeoutSeconds", "TimeoutSecondsPath", 1..=SECONDS_MAX);
        let heartbeat = fields.setting("HeartbeatSeconds", "HeartbeatSecondsPath", 1..=SECONDS_MAX);
        if let (Some(timeout), Some(heartbeat)) = (fixed(&timeout), fixed(&heartbeat))
            && heartbeat >= timeout
        {
            fields.defect("HeartbeatSeconds", "HeartbeatSeconds must be smaller than TimeoutSeconds");
        }
        let handling = self.handling(fields, targets);
        let resource = Arc::from(resource?);
        Some(TaskKind { resource, parameters, parameters_as_written, credentials, timeout, heartbeat, handling })
    }

    fn parallel(&self, fields: &mut Fields<'_>, targets: &Targets<'_>) -> Option<Parallel> {
        let parameters = fields.template("Parameters");
        if !fields.has("Branches") {
            fields.defect_here("These fields are required: [Branches]");
        }
        let place = fields.place_of("Branches");
        let branches = fields.list("Branches").map(|branches| {
            let load = |(index, branch)| {
                let mut fields = Fields::of(self, branch, format!("{place}[{index}]"))?;
                let branch = self.machine(&mut fields);
                fields.finish();
                branch
            };
            // All branches are loaded before the result is decided, so that the defects of each are reported.
            branches.iter().enumerate().map(load).collect::<Vec<_>>()
        });
        let handling = self.handling(fields, targets);
        Some(Parallel { parameters, branches: branches?.into_iter().collect::<Option<_>>()?, handling })
    }
}

fn fixed(setting: &Option<Setting<u64>>) -> Option<u64> {
    match setting {
        Some(Setting::Fixed(seconds)) => Some(*seconds),
        _ => None,
    }
}

/// `Assign`: an object whose keys are the names of variables.
pub(super) fn variables(fields: &mut Fields<'_>) -> Option<Template> {
    let template = fields.object_template("Assign")?;
    for name in template.names() {
        let well_formed =
            name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if name == "states" {
            let reason = "Cannot assign to reserved variable '$states'.";
            fields.defect_of(DefectCode::ReservedVariableName, "Assign", reason);
        } else if !well_formed {
            let reason = format!("Invalid variable name '{name}': the variable name contains invalid characters.");
            fields.defect_of(DefectCode::InvalidVariableName, "Assign", reason);
        } else if name.chars().count() > super::NAME_CHARS_MAX {
            let reason =
                format!("Invalid variable name '{name}': it has more than {} characters.", super::NAME_CHARS_MAX);
            fields.defect_of(DefectCode::InvalidVariableName, "Assign", reason);
        }
    }
    Some(template)
}

/// `Next` or `End`.
fn transition(fields: &mut Fields<'_>, targets: &Targets<'_>) -> Option<usize> {
    let ends = fields.boolean("End").unwrap_or(false);
    match (ends, fields.has("Next")) {
        (true, true) => fields.at_most_one_of(&["Next", "End"]),
        (false, false) if fields.has("End") => fields.defect("End", "Expected true, or a field 'Next' instead"),
        (false, false) => fields.exactly_one_of(&["Next", "End"]),
        (true, false) | (false, true) => {}
    }
    targets.find(fields, "Next")
}

fn pass(fields: &mut Fields<'_>) -> Pass {
    Pass {
        parameters: fields.template("Parameters"),
        result: fields.get("Result").cloned().map(Arc::new),
        result_path: fields.result_path(),
    }
}

fn wait(fields: &mut Fields<'_>) -> Option<WaitUntil> {
    fields.exactly_one_of(&["SecondsPath", "Seconds", "TimestampPath", "Timestamp"]);
    let seconds = fields.integer("Seconds", 0..=SECONDS_MAX).map(WaitUntil::Seconds);
    let seconds_path = fields.reference_path("SecondsPath").map(WaitUntil::SecondsPath);
    let timestamp = fields.timestamp("Timestamp").map(WaitUntil::Timestamp);
    let timestamp_path = fields.reference_path("TimestampPath").map(WaitUntil::TimestampPath);
    seconds.or(seconds_path).or(timestamp).or(timestamp_path)
}

fn fail(fields: &mut Fields<'_>) -> Kind {
    Kind::Fail { error: text(fields, "Error", "ErrorPath"), cause: text(fields, "Cause", "CausePath") }
}

fn text(fields: &mut Fields<'_>, key: &'static str, path_key: &'static str) -> Text {
    fields.at_most_one_of(&[key, path_key]);
    let literal = fields.text(key).map(|text| Text::Literal(text.to_owned()));
    let computed = fields.text(path_key).and_then(|text| match Expression::parse(text) {
        Ok(expression) => Some(Text::Expression(expression)),
        Err(reason) => {
            let requirement = "Value must be a valid JSONPath or a valid intrinsic function call";
            fields.defect(path_key, format!("{requirement}: {reason}"));
            None
        }
    });
    literal.or(computed).unwrap_or(Text::None)
}
