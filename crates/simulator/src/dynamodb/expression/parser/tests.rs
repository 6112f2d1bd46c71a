use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::super::attribute::{Item, read_item};
use super::*;

fn names(names: Value, values: Value) -> Names {
    let names: BTreeMap<String, String> = serde_json::from_value(names).unwrap();
    Names { names, values: read_item(values).unwrap(), used: BTreeSet::new() }
}

fn item() -> Item {
    read_item(json!({
        "pk": {"S": "fleet"},
        "version": {"N": "3"},
        "lease": {"N": "100"},
        "status": {"S": "running"},
        "lock": {"M": {"owner": {"S": "run-1"}, "steps": {"L": [{"S": "a"}, {"S": "b"}]}}},
    }))
    .unwrap()
}

fn check(text: &str) -> bool {
    let mut names = names(
        json!({"#status": "status", "#lock": "lock", "#owner": "owner"}),
        json!({":three": {"N": "3.0"}, ":ten": {"N": "10"}, ":running": {"S": "running"}, ":r": {"S": "run-"}, ":b": {"S": "b"}}),
    );
    Parser::new("ConditionExpression", text, &mut names).unwrap().condition().unwrap().holds(&item())
}

#[test]
fn conditions_are_evaluated_on_an_item() {
    for (text, expected) in [
        ("attribute_exists(pk)", true),
        ("attribute_not_exists(pk)", false),
        ("attribute_not_exists(nothing)", true),
        ("version = :three", true),
        ("version <> :three", false),
        ("lease > :ten AND version < :ten", true),
        ("lease <= :ten", false),
        ("lease >= :three", true),
        ("nothing = :three", false),
        ("nothing <> :three", true),
        ("nothing < :three", false),
        ("#status > :ten", false),
        ("#status = :running AND NOT version = :ten", true),
        ("version = :ten OR lease > :ten AND #status = :running", true),
        ("(version = :ten OR lease > :ten) AND #status <> :running", false),
        ("NOT (version = :ten OR lease < :ten)", true),
        ("begins_with(#lock.#owner, :r)", true),
        ("begins_with(#status, :r)", false),
        ("#lock.steps[1] = :b", true),
        ("#lock.steps[2] = :b", false),
        ("attribute_exists(#lock.steps[7])", false),
    ] {
        assert_eq!(check(text), expected, "{text}");
    }
}

fn refused(text: &str) -> ServiceError {
    let mut names = names(json!({}), json!({":x": {"N": "1"}}));
    let parsed = Parser::new("ConditionExpression", text, &mut names).and_then(Parser::condition);
    parsed.unwrap_err()
}

#[test]
fn what_dynamodb_refuses_is_refused() {
    assert!(refused("status = :x").message.ends_with("reserved keyword: status"));
    assert!(refused("a = :y").message.ends_with("attribute value: :y"));
    assert!(refused("#a = :x").message.ends_with("attribute name: #a"));
    assert_eq!(refused("a = ").code, "ValidationException");
    assert_eq!(refused("").code, "ValidationException");
    assert_eq!(refused("a = :x b = :x").code, "ValidationException");
}

#[test]
fn an_unsupported_expression_is_refused_as_unsupported() {
    assert_eq!(refused("size(a) = :x").code, crate::service::UNSUPPORTED);
    assert_eq!(refused("contains(a, :x)").code, crate::service::UNSUPPORTED);
    assert_eq!(refused("a BETWEEN :x AND :x").code, crate::service::UNSUPPORTED);
}

#[test]
fn an_unused_placeholder_is_refused() {
    let mut names = names(json!({"#a": "a"}), json!({":x": {"N": "1"}}));
    Parser::new("ConditionExpression", "b = :x", &mut names).unwrap().condition().unwrap();
    assert!(names.finish().unwrap_err().message.ends_with("keys: {#a}"));
}

fn update(text: &str) -> Result<Value, ServiceError> {
    let mut names = names(
        json!({"#lock": "lock", "#owner": "owner"}),
        json!({":one": {"N": "1"}, ":new": {"S": "run-2"}, ":list": {"L": [{"S": "c"}]}}),
    );
    let update = Parser::new("UpdateExpression", text, &mut names)?.update()?;
    let mut after = item();
    update.apply(&item(), &mut after)?;
    Ok(json!(after))
}

#[test]
fn updates_read_the_item_before_the_update() {
    let after = update("SET version = version + :one, lease = version, fence = if_not_exists(fence, :one)").unwrap();
    assert_eq!(after["version"], json!({"N": "4"}));
    assert_eq!(after["lease"], json!({"N": "3"}));
    assert_eq!(after["fence"], json!({"N": "1"}));
}

#[test]
fn updates_change_elements_of_maps_and_lists() {
    let after = update("SET #lock.#owner = :new, #lock.steps = list_append(#lock.steps, :list) REMOVE lease").unwrap();
    assert_eq!(after["lock"]["M"]["owner"], json!({"S": "run-2"}));
    assert_eq!(after["lock"]["M"]["steps"]["L"].as_array().unwrap().len(), 3);
    assert_eq!(after.get("lease"), None);
    let after = update("REMOVE #lock.steps[0]").unwrap();
    assert_eq!(after["lock"]["M"]["steps"], json!({"L": [{"S": "b"}]}));
}

#[test]
fn invalid_updates_are_refused() {
    assert!(update("SET nothing.a = :one").unwrap_err().message.contains("invalid for update"));
    assert!(update("SET a = b").unwrap_err().message.contains("does not exist in the item"));
    assert!(update("SET pk = pk + :one").unwrap_err().message.contains("incorrect data type"));
    assert!(update("SET a = :one, a = :new").unwrap_err().message.contains("overlap"));
    assert!(update("SET a = :one SET b = :one").unwrap_err().message.contains("only be used once"));
    assert_eq!(update("ADD a :one").unwrap_err().code, crate::service::UNSUPPORTED);
}
