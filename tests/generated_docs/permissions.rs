//! The permissions page: what each role and policy of `infra/template.yaml` allows.

use serde_json::{Map, Value};
use std::fmt::Write;

const TEMPLATE: &str = include_str!("../../infra/template.yaml");
const HEAD: &str = "\
<!-- Generated from infra/template.yaml by tests/generated_docs.rs. Do not edit. -->

# Permissions

Each function and each state machine has a role of its own. The tables list what the roles and policies of the stack allow. Nothing
else is allowed. A name in braces is a parameter or a resource of the stack, such as `{FleetNames}` or `{Ledger}`.

A rehearsal runs under these policies. It fails if a step makes a call that its role does not allow. A test fails if a role allows a
call that no workflow makes.
";

/// Renders the page.
pub fn reference() -> String {
    let template: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
    let mut page = HEAD.to_owned();
    for (id, resource) in template["Resources"].as_object().unwrap() {
        let properties = &resource["Properties"];
        let statements: Vec<&Value> = match resource["Type"].as_str().unwrap() {
            "AWS::IAM::Role" => {
                let policies = properties["Policies"].as_array().into_iter().flatten();
                policies.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"])).collect()
            }
            "AWS::IAM::ManagedPolicy" => list(&properties["PolicyDocument"]["Statement"]),
            _ => continue,
        };
        let title = properties["Description"].as_str().unwrap_or(id);
        write!(page, "\n## {title}\n\n").unwrap();
        let attached = list(&properties["ManagedPolicyArns"]);
        if !attached.is_empty() {
            let attached: Vec<_> = attached.into_iter().map(text).collect();
            writeln!(page, "Also has the policy {}.\n", attached.join(", ")).unwrap();
        }
        if statements.is_empty() {
            page.push_str("Has no statement of its own.\n");
            continue;
        }
        page.push_str("| statement | actions | resources | conditions |\n|---|---|---|---|\n");
        for statement in statements {
            row(&mut page, statement);
        }
    }
    page
}

fn row(page: &mut String, statement: &Value) {
    let effect = if statement["Effect"] == "Deny" { "denies " } else { "" };
    let sid = statement["Sid"].as_str().unwrap_or_default();
    let joined = |value: &Value| list(value).into_iter().map(text).collect::<Vec<_>>().join("<br>");
    let conditions: Vec<_> = statement["Condition"].as_object().into_iter().flat_map(conditions).collect();
    let (actions, resources) = (joined(&statement["Action"]), joined(&statement["Resource"]));
    writeln!(page, "| {effect}{sid} | {actions} | {resources} | {} |", conditions.join("<br>")).unwrap();
}

fn conditions(operators: &Map<String, Value>) -> Vec<String> {
    let mut all = Vec::new();
    for (operator, keys) in operators {
        for (key, values) in keys.as_object().unwrap() {
            let values: Vec<_> = list(values).into_iter().map(text).collect();
            all.push(format!("`{key}` {operator} {}", values.join(" or ")));
        }
    }
    all
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// A value of the template as Markdown code, with references in braces.
fn text(value: &Value) -> String {
    format!("`{}`", plain(value).replace('|', "\\|"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(function) => {
            let (name, argument) = function.iter().next().unwrap();
            match (name.as_str(), argument) {
                ("Fn::Sub", text) => plain(text).replace("${", "{"),
                ("Ref", name) => format!("{{{}}}", plain(name)),
                ("Fn::GetAtt", Value::Array(path)) => format!("{{{}}}", plain(&path[0])),
                (_, argument) => format!("{name}({})", plain(argument)),
            }
        }
        other => other.to_string(),
    }
}
