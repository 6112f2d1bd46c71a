//! Pages that are generated from the code. `UPDATE_DOCS=1 cargo test --workspace --test fleetwright generated_docs` writes them.

mod permissions;

use regex::Regex;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A generated page: its path from the root of the repository, and the function that renders it.
type Page = (&'static str, fn() -> String);

/// To add a page, add a line.
const PAGES: [Page; 4] = [
    ("docs/reference/commands.md", fleetwright::command_reference),
    ("docs/reference/configuration.md", fleet::configuration_reference),
    ("docs/reference/fleet.schema.json", fleet::configuration_schema),
    ("docs/reference/permissions.md", permissions::reference),
];

#[test]
fn generated_docs_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let update = std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1");
    let mut outdated = Vec::new();
    for (path, render) in PAGES {
        let (file, text) = (root.join(path), render());
        if fs::read_to_string(&file).is_ok_and(|committed| committed == text) {
            continue;
        }
        if update {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
        } else {
            outdated.push(path);
        }
    }
    assert!(outdated.is_empty(), "outdated: {outdated:?}; write them with UPDATE_DOCS=1 cargo test generated_docs");
}

#[test]
fn the_sample_names_the_schema_and_matches_it() {
    let sample = include_str!("../samplconfig.toml");
    assert_eq!(sample.lines().next(), Some("#:schema docs/reference/fleet.schema.json"));
    assert_eq!(violations(sample), [""; 0]);
}

#[test]
fn every_option_that_the_sample_leaves_out_matches_the_schema() {
    let sample = include_str!("../samplconfig.toml");
    let full = sample
        .replace("# time_zone", "time_zone")
        .replace("# windows", "windows")
        .replace("# wanted", "wanted")
        .replace("data_server = \"i-0ccccccccccccccc1\"", "db_instance = \"appwrite-data\"");
    assert_ne!(full, sample);
    fleet::Config::from_toml(&full).unwrap();
    assert_eq!(violations(&full), [""; 0]);
}

#[test]
fn the_schema_refuses_what_the_command_refuses() {
    let sample = include_str!("../samplconfig.toml");
    for (right, wrong, violation) in [
        ("size = 3", "size = 0", "fleet.size: 0 is below 1"),
        ("size = 3", "size = \"3\"", "fleet.size: not an integer"),
        ("size = 3", "", "fleet: 'size' is missing"),
        ("canary = 1 ", "canaries = 1 ", "upgrade: 'canaries' is unknown"),
        ("max = 12", "max = 4001", "scaling.max: 4001 is above 4000"),
        ("bake = \"5m\"", "bake = \"soon\"", "upgrade.bake: 'soon' does not match"),
        ("on_failure = \"rollback\"", "on_failure = \"panic\"", "upgrade.on_failure: no choice"),
        ("data_server = \"i-0ccccccccccccccc1\"", "", "backup: no choice"),
        ("ami-0a1b2c3d4e5f60718", "ami-1", "fleet.golden_image: 'ami-1' does not match"),
    ] {
        assert!(sample.contains(right), "{right}");
        let text = sample.replacen(right, wrong, 1);
        assert!(fleet::Config::from_toml(&text).is_err(), "{wrong}");
        let found = violations(&text);
        assert!(found.iter().any(|one| one.starts_with(violation)), "{violation}: {found:?}");
    }
}

/// What a configuration in TOML violates of the schema.
fn violations(toml: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(&fleet::configuration_schema()).unwrap();
    let value: Value = toml::from_str(toml).unwrap();
    let mut found = Vec::new();
    check(&schema, &schema, &value, "", &mut found);
    found
}

/// Checks the keywords that the schema uses, and panics at any other.
fn check(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "format" | "writeOnly" | "definitions" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, path, found);
            }
            "allOf" => rule.as_array().unwrap().iter().for_each(|one| check(root, one, value, path, found)),
            "oneOf" => {
                let fits = |one: &&Value| {
                    let mut violated = Vec::new();
                    check(root, one, value, path, &mut violated);
                    violated.is_empty()
                };
                if rule.as_array().unwrap().iter().filter(fits).count() != 1 {
                    found.push(format!("{path}: no choice, or more than one, matches {value}"));
                }
            }
            "type" => {
                let right = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                if !right {
                    found.push(format!("{path}: not an {rule}").replace('"', ""));
                    return;
                }
            }
            "const" if value != rule => found.push(format!("{path}: {value} is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{path}: {value} is not in {rule}"));
            }
            "const" | "enum" => {}
            "minimum" if value.as_f64() < rule.as_f64() => found.push(format!("{path}: {value} is below {rule}")),
            "maximum" if value.as_f64() > rule.as_f64() => found.push(format!("{path}: {value} is above {rule}")),
            "minimum" | "maximum" => {}
            "minItems" => {
                if value.as_array().unwrap().len() < rule.as_u64().unwrap() as usize {
                    found.push(format!("{path}: fewer than {rule}"));
                }
            }
            "minLength" => {
                if value.as_str().unwrap().len() < rule.as_u64().unwrap() as usize {
                    found.push(format!("{path}: shorter than {rule}"));
                }
            }
            "pattern" => {
                let text = value.as_str().unwrap();
                if !Regex::new(rule.as_str().unwrap()).unwrap().is_match(text) {
                    found.push(format!("{path}: '{text}' does not match {rule}"));
                }
            }
            "items" => value.as_array().unwrap().iter().for_each(|one| check(root, rule, one, path, found)),
            "required" => {
                for name in rule.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if value.get(name).is_none() {
                        found.push(format!("{path}: '{name}' is missing"));
                    }
                }
            }
            "properties" => {
                for (name, property) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, property, value, &at(name), found);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                for name in value.as_object().unwrap().keys() {
                    if schema["properties"].get(name).is_none() {
                        found.push(format!("{path}: '{name}' is unknown"));
                    }
                }
            }
            other => panic!("{path}: the keyword {other} is not checked"),
        }
    }
}
