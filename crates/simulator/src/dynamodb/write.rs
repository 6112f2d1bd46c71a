//! `PutItem`, `DeleteItem` and `UpdateItem`. Each checks its condition and its result before it changes the table.

use std::sync::Arc;

use serde_json::{Value, json};

use super::attribute::{Item, read_item};
use super::expression::{Condition, Names, Update};
use super::invalid;
use super::table::{KEYS, Key, StoredItem, Table, check_size, condition_failed, key_of, read_key};
use crate::service::{ServiceError, unsupported};
use crate::wire::json::Fields;

/// A valid write: the key of its item, a condition, and the effect if the condition holds.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: Key,
    condition: Option<Condition>,
    effect: Effect,
}

#[derive(Debug)]
enum Effect {
    Put(Arc<StoredItem>),
    Delete,
    Update(Update),
    Check,
}

impl Write {
    pub(super) fn read_put(fields: &mut Fields) -> Result<Write, ServiceError> {
        let Some(item) = fields.take("Item") else {
            return Err(invalid("The request must contain the parameter Item"));
        };
        let item = read_item(item)?;
        check_size(&item)?;
        let mut names = Names::read(fields)?;
        let condition = names.condition(fields)?;
        names.finish()?;
        Ok(Write { key: key_of(&item)?, condition, effect: Effect::Put(StoredItem::new(item)) })
    }

    pub(super) fn read_delete(fields: &mut Fields) -> Result<Write, ServiceError> {
        let key = read_key(fields)?;
        let mut names = Names::read(fields)?;
        let condition = names.condition(fields)?;
        names.finish()?;
        Ok(Write { key, condition, effect: Effect::Delete })
    }

    pub(super) fn read_update(fields: &mut Fields) -> Result<Write, ServiceError> {
        let key = read_key(fields)?;
        let mut names = Names::read(fields)?;
        let condition = names.condition(fields)?;
        let update = match fields.string("UpdateExpression")? {
            Some(text) => names.update(&text)?,
            None => Update::default(),
        };
        names.finish()?;
        if let Some(name) = update.roots().find(|name| KEYS.contains(name)) {
            let message = format!(
                "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
            );
            return Err(invalid(message));
        }
        Ok(Write { key, condition, effect: Effect::Update(update) })
    }

    pub(super) fn read_check(fields: &mut Fields) -> Result<Write, ServiceError> {
        let key = read_key(fields)?;
        let mut names = Names::read(fields)?;
        let condition = names.condition(fields)?;
        names.finish()?;
        match condition {
            None => Err(invalid("The ConditionExpression of a ConditionCheck is required")),
            condition => Ok(Write { key, condition, effect: Effect::Check }),
        }
    }

    /// The item after the write, or why the write is refused.
    pub(super) fn evaluate(&self, table: &Table) -> Result<Option<Arc<StoredItem>>, ServiceError> {
        let (before, empty) = (table.items.get(&self.key), Item::new());
        let found = before.map_or(&empty, |stored| &stored.item);
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(found)) {
            return Err(condition_failed());
        }
        match &self.effect {
            Effect::Put(item) => Ok(Some(Arc::clone(item))),
            Effect::Delete => Ok(None),
            Effect::Check => Ok(before.cloned()),
            Effect::Update(update) => {
                let mut after = before.map_or_else(|| new_item(&self.key), |stored| stored.item.clone());
                update.apply(found, &mut after)?;
                check_size(&after)?;
                Ok(Some(StoredItem::new(after)))
            }
        }
    }

    /// Stores the result and returns the previous item.
    pub(super) fn commit(self, table: &mut Table, after: Option<Arc<StoredItem>>) -> Option<Arc<StoredItem>> {
        match after {
            Some(stored) => table.items.insert(self.key, stored),
            None => table.items.remove(&self.key),
        }
    }
}

fn new_item((pk, sk): &Key) -> Item {
    use super::attribute::Attribute::String;
    Item::from([(KEYS[0].to_owned(), String(pk.clone())), (KEYS[1].to_owned(), String(sk.clone()))])
}

/// `PutItem`.
pub(super) fn put(table: &mut Table, fields: &mut Fields) -> Result<Value, ServiceError> {
    let write = Write::read_put(fields)?;
    run(table, fields, write, &["NONE", "ALL_OLD"])
}

/// `DeleteItem`. A missing item is no error.
pub(super) fn delete(table: &mut Table, fields: &mut Fields) -> Result<Value, ServiceError> {
    let write = Write::read_delete(fields)?;
    run(table, fields, write, &["NONE", "ALL_OLD"])
}

/// `UpdateItem`. It creates a missing item.
pub(super) fn update(table: &mut Table, fields: &mut Fields) -> Result<Value, ServiceError> {
    let write = Write::read_update(fields)?;
    run(table, fields, write, &["NONE", "ALL_OLD", "ALL_NEW"])
}

fn run(table: &mut Table, fields: &mut Fields, write: Write, answers: &[&str]) -> Result<Value, ServiceError> {
    let wanted = fields.string("ReturnValues")?.unwrap_or_else(|| "NONE".to_owned());
    let on_failure = fields.string("ReturnValuesOnConditionCheckFailure")?;
    fields.finish()?;
    if !answers.contains(&wanted.as_str()) {
        return Err(unsupported(format_args!("ReturnValues={wanted} for this operation")));
    }
    if on_failure.is_some_and(|wanted| wanted != "NONE") {
        return Err(unsupported("ReturnValuesOnConditionCheckFailure"));
    }
    let after = write.evaluate(table)?;
    let before = write.commit(table, after.clone());
    let answer = match wanted.as_str() {
        "ALL_OLD" => before,
        "ALL_NEW" => after,
        _ => None,
    };
    Ok(answer.map_or_else(|| json!({}), |stored| json!({"Attributes": stored.item})))
}
