//! The JSON Schema of a configuration, and the reference page that is made from it.

use super::Config;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::fmt::Write;

/// The JSON Schema of a configuration, as indented JSON.
///
/// It is of draft 7, the latest draft that editors support for TOML.
pub fn configuration_schema() -> String {
    format!("{:#}\n", schema())
}

/// The configuration reference in Markdown: a section for each TOML table, and a row for each of its keys.
pub fn configuration_reference() -> String {
    let schema = schema();
    let page = Page { definitions: schema["definitions"].as_object().unwrap_or(&Map::new()).clone() };
    let mut text = String::from(
        "<!-- Generated from the types in crates/fleet/src/config by tests/generated_docs.rs. Do not edit. -->\n\n\
         # Configuration reference\n\n",
    );
    let _ = writeln!(text, "{}\n", description(&schema));
    text.push_str(
        "`samplconfig.toml` is a complete example. An editor that supports JSON Schema for TOML completes and checks a \
         configuration whose first line is `#:schema PATH`, where `PATH` leads to [fleet.schema.json](fleet.schema.json).\n\n\
         A key without a default is either required or optional. An unknown key is an error.\n",
    );
    for (name, section, required) in properties(&schema) {
        let _ = write!(text, "\n## `[{name}]`\n\n{} ", description(section));
        text.push_str(if required { "This section is required.\n" } else { "This section is optional.\n" });
        page.table(&mut text, name, page.resolve(section));
    }
    text.push_str("\n## Value types\n\n| type | form |\n|---|---|\n");
    for definition in page.definitions.values().filter(|definition| definition["type"] == "string") {
        if let Some(title) = definition["title"].as_str() {
            let _ = writeln!(text, "| {title} | {} |", description(definition));
        }
    }
    text
}

fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Config>().to_value();
    join_lines(&mut schema);
    schema
}

/// Puts each description on one line. Its line breaks are those of the doc comment.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            object.values_mut().for_each(join_lines);
        }
        Value::Array(values) => values.iter_mut().for_each(join_lines),
        _ => {}
    }
}

/// The properties of an object in the order of the Rust fields, each with whether it is required.
fn properties(object: &Value) -> impl Iterator<Item = (&str, &Value, bool)> {
    let required = |name: &str| object["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let properties = object["properties"].as_object().into_iter().flatten();
    properties.map(move |(name, property)| (name.as_str(), property, required(name)))
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

struct Page {
    definitions: Map<String, Value>,
}

impl Page {
    /// Follows a reference. A schema of draft 7 with a description holds its reference in `allOf`.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        let name = reference.and_then(|path| path.strip_prefix("#/definitions/"));
        name.and_then(|name| self.definitions.get(name)).unwrap_or(schema)
    }

    /// Writes the table of a section's keys, then a table for each key that holds a table itself.
    fn table(&self, text: &mut String, section: &str, object: &Value) {
        text.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
        for (name, property, required) in properties(object) {
            let default = match &property["default"] {
                _ if required => "**required**".to_owned(),
                Value::Null => "none".to_owned(),
                value => format!("`{value}`"),
            };
            let meaning = self.meaning(property);
            let _ = writeln!(text, "| `{name}` | {} | {default} | {meaning} |", self.type_of(property));
        }
        for (name, property, _) in properties(object) {
            let resolved = self.resolve(property);
            let (key, table) = match resolved["type"].as_str() {
                Some("array") => (format!("{section}.{name}[]"), self.resolve(&resolved["items"])),
                _ => (format!("{section}.{name}"), resolved),
            };
            if table["properties"].is_object() {
                let _ = write!(text, "\n### `{key}`\n\n{}\n", description(table));
                self.table(text, &key, table);
            }
        }
    }

    /// The description, and what each of an enumeration's values means.
    fn meaning(&self, property: &Value) -> String {
        let mut meaning = description(property).to_owned();
        for choice in self.resolve(property)["oneOf"].as_array().into_iter().flatten() {
            if let Some(value) = constant(choice) {
                let _ = write!(meaning, " `{value}`: {}", description(choice));
            }
        }
        meaning
    }

    fn type_of(&self, property: &Value) -> String {
        let schema = self.resolve(property);
        let choices = schema["oneOf"].as_array().into_iter().flatten().filter_map(constant);
        let choices: Vec<_> = choices.map(|value| format!("`{value}`")).collect();
        if !choices.is_empty() {
            return choices.join(" or ");
        }
        match schema["type"].as_str().unwrap_or_default() {
            "array" => format!("list of {}s", self.type_of(&schema["items"])),
            "object" => "table".to_owned(),
            "string" => schema["title"].as_str().unwrap_or("string").to_owned(),
            number @ ("integer" | "number") => format!("{number}{}", bounds(schema)),
            other => other.to_owned(),
        }
    }
}

/// The one value of a choice, as TOML writes it.
fn constant(choice: &Value) -> Option<&Value> {
    choice.get("const").or_else(|| choice["enum"].as_array().filter(|values| values.len() == 1)?.first())
}

fn bounds(number: &Value) -> String {
    match (number["minimum"].as_f64(), number["maximum"].as_f64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}
