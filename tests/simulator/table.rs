use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, TransactWriteItem};

use super::{Aws, aws, code};

const TABLE: &str = "fleetwright";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(aws: &Aws, pk: &str, sk: &str) -> PutItemFluentBuilder {
    aws.dynamodb.put_item().table_name(TABLE).item("pk", text(pk)).item("sk", text(sk))
}

async fn get(aws: &Aws, pk: &str, sk: &str) -> Option<std::collections::BTreeMap<String, AttributeValue>> {
    let call = aws.dynamodb.get_item().table_name(TABLE).key("pk", text(pk)).key("sk", text(sk)).consistent_read(true);
    call.send().await.unwrap().item.map(|item| item.into_iter().collect())
}

#[tokio::test(start_paused = true)]
async fn a_conditional_put_succeeds_once() {
    let aws = aws();
    let take = |owner: &str| {
        let call = put(&aws, "fleet", "lock").item("owner", text(owner));
        call.condition_expression("attribute_not_exists(pk)").send()
    };
    take("run-1").await.unwrap();
    assert_eq!(code(take("run-2").await), "ConditionalCheckFailedException");
    assert_eq!(get(&aws, "fleet", "lock").await.unwrap()["owner"], text("run-1"));
    assert_eq!(aws.simulator.items().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_an_item_if_its_condition_holds() {
    let aws = aws();
    put(&aws, "fleet", "lock").item("lease", number(100)).item("fence", number(7)).send().await.unwrap();
    let renew = |now: i64| {
        let call = aws.dynamodb.update_item().table_name(TABLE).key("pk", text("fleet")).key("sk", text("lock"));
        call.update_expression("SET lease = :new, fence = fence + :one, #owner = if_not_exists(#owner, :me)")
            .condition_expression("attribute_exists(pk) AND (lease < :now OR #owner = :me)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":new", number(now + 60))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":me", text("run-2"))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    assert_eq!(code(renew(99).await), "ConditionalCheckFailedException");
    let after = renew(101).await.unwrap().attributes.unwrap();
    assert_eq!((&after["fence"], &after["lease"], &after["owner"]), (&number(8), &number(161), &text("run-2")));
}

#[tokio::test(start_paused = true)]
async fn a_query_reads_a_partition_in_order_and_in_pages() {
    let aws = aws();
    for (pk, sk) in [("run", "step#2"), ("run", "step#1"), ("run", "plan"), ("run", "step#3"), ("other", "step#1")] {
        put(&aws, pk, sk).send().await.unwrap();
    }
    let query = || {
        let call = aws.dynamodb.query().table_name(TABLE).expression_attribute_values(":p", text("run"));
        call.key_condition_expression("pk = :p AND begins_with(sk, :s)")
            .expression_attribute_values(":s", text("step#"))
    };
    let forward = query().send().await.unwrap();
    assert_eq!(texts(forward.items().iter().map(|item| &item["sk"])), ["step#1", "step#2", "step#3"]);
    let backward = query().scan_index_forward(false).limit(2).send().await.unwrap();
    assert_eq!(texts(backward.items().iter().map(|item| &item["sk"])), ["step#3", "step#2"]);
    let mut pages = query().limit(2).into_paginator().items().send();
    let mut seen = Vec::new();
    while let Some(item) = pages.next().await {
        seen.push(item.unwrap()["sk"].clone());
    }
    assert_eq!(texts(&seen), ["step#1", "step#2", "step#3"]);
}

fn texts<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Vec<&'a str> {
    values.into_iter().map(|value| value.as_s().unwrap().as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_delete_checks_its_condition_and_ignores_a_missing_item() {
    let aws = aws();
    put(&aws, "fleet", "lock").item("owner", text("run-1")).send().await.unwrap();
    let release = |owner: &str| {
        let call = aws.dynamodb.delete_item().table_name(TABLE).key("pk", text("fleet")).key("sk", text("lock"));
        let call = call.condition_expression("#owner = :me").expression_attribute_names("#owner", "owner");
        call.expression_attribute_values(":me", text(owner)).send()
    };
    assert_eq!(code(release("run-2").await), "ConditionalCheckFailedException");
    release("run-1").await.unwrap();
    assert_eq!(get(&aws, "fleet", "lock").await, None);
    let plain = aws.dynamodb.delete_item().table_name(TABLE).key("pk", text("fleet")).key("sk", text("lock"));
    plain.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_transaction_writes_all_or_nothing_and_once_per_token() {
    let aws = aws();
    put(&aws, "fleet", "lock").send().await.unwrap();
    let transact = |token: &str, sk: &str, condition: Option<&str>| {
        let put = Put::builder().table_name(TABLE).item("pk", text("run")).item("sk", text(sk)).build().unwrap();
        let delete = Delete::builder().table_name(TABLE).key("pk", text("fleet")).key("sk", text("lock"));
        let delete = delete.set_condition_expression(condition.map(str::to_owned)).build().unwrap();
        let call = aws.dynamodb.transact_write_items().client_request_token(token);
        let call = call.transact_items(TransactWriteItem::builder().put(put).build());
        call.transact_items(TransactWriteItem::builder().delete(delete).build()).send()
    };
    let refused = transact("a", "done", Some("attribute_not_exists(pk)")).await;
    assert_eq!(code(refused), "TransactionCanceledException");
    assert_eq!(get(&aws, "run", "done").await, None);
    transact("b", "done", Some("attribute_exists(pk)")).await.unwrap();
    transact("b", "done", Some("attribute_exists(pk)")).await.expect("the same token does nothing more");
    assert_eq!(code(transact("b", "other", None).await), "IdempotentParameterMismatchException");
    assert_eq!(get(&aws, "fleet", "lock").await, None);
    assert!(get(&aws, "run", "done").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_dynamodb_refuses_is_refused() {
    let aws = aws();
    let other = put(&aws, "a", "b").table_name("other").send().await;
    assert_eq!(code(other), "ResourceNotFoundException");
    let large = put(&aws, "a", "b").item("x", text(&"x".repeat(400 * 1_024))).send().await;
    assert_eq!(code(large), "ValidationException");
    let reserved = put(&aws, "a", "b").condition_expression("attribute_not_exists(status)").send().await;
    assert_eq!(code(reserved), "ValidationException");
    let unknown = put(&aws, "a", "b").condition_expression("size(pk) = pk").send().await;
    assert_eq!(code(unknown), "Simulator.Unsupported");
    let keyless = aws.dynamodb.put_item().table_name(TABLE).item("pk", text("a")).send().await;
    assert_eq!(code(keyless), "ValidationException");
    assert!(aws.simulator.items().is_empty());
}
