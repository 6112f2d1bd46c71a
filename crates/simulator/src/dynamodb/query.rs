//! `Query`: the items of one partition, in the order of their sort keys.

use serde_json::{Value, json};

use super::attribute::{Attribute, Item, read_item};
use super::expression::{Names, PartitionRange};
use super::invalid;
use super::table::{Key, Table, key_of};
use crate::service::ServiceError;
use crate::wire::json::Fields;

/// `Query`. No page ends because of its size: the items of a rehearsal are far below a megabyte.
pub(super) fn query(table: &Table, fields: &mut Fields) -> Result<Value, ServiceError> {
    let mut names = Names::read(fields)?;
    let text = fields.required("KeyConditionExpression")?;
    let range = names.key_condition(&text)?;
    names.finish()?;
    fields.boolean("ConsistentRead")?;
    let forward = fields.boolean("ScanIndexForward")?.unwrap_or(true);
    let limit = fields.number("Limit")?.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let after = fields.take("ExclusiveStartKey").map(|key| key_of(&read_item(key)?)).transpose()?;
    fields.finish()?;
    if limit == 0 {
        return Err(invalid(
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ));
    }
    let mut found: Vec<(&Key, &Item)> = in_range(table, &range).collect();
    if !forward {
        found.reverse();
    }
    let beyond = |key: &Key| after.as_ref().is_none_or(|after| if forward { key > after } else { key < after });
    let mut rest = found.into_iter().filter(|(key, _)| beyond(key));
    let page: Vec<(&Key, &Item)> = rest.by_ref().take(limit).collect();
    let mut answer = json!({
        "Items": page.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "Count": page.len(),
        "ScannedCount": page.len(),
    });
    // As in DynamoDB, a page that its limit ended has a last key even if no item follows.
    if let (true, Some(((pk, sk), _))) = (page.len() == limit, page.last()) {
        answer["LastEvaluatedKey"] = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    }
    Ok(answer)
}

fn in_range<'a>(table: &'a Table, range: &'a PartitionRange) -> impl Iterator<Item = (&'a Key, &'a Item)> {
    let start = (range.partition.clone(), String::new());
    table
        .items
        .range(start..)
        .take_while(|((pk, _), _)| *pk == range.partition)
        .filter(|((_, sk), _)| range.admits(&Attribute::String(sk.clone())))
        .map(|(key, stored)| (key, &stored.item))
}
