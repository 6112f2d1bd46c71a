//! The table. Its items have a partition key and a sort key, both strings.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::attribute::{Attribute, Item, item_size, read_item};
use super::invalid;
use crate::service::{ServiceError, refuse};
use crate::wire::json::{Fields, encode};
use serde_json::{Value, json};

/// The values of an item's partition key and sort key.
pub(super) type Key = (String, String);

/// The names of the partition key and the sort key.
pub(super) const KEYS: [&str; 2] = ["pk", "sk"];

/// The maximum size of an item in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MOST_BYTES: usize = 400 * 1_024;

/// An item in the table. It is written once and read many times, so its JSON is made once.
#[derive(Debug)]
pub(super) struct StoredItem {
    pub(super) item: Item,
    json: OnceLock<Vec<u8>>,
}

impl StoredItem {
    pub(super) fn new(item: Item) -> Arc<StoredItem> {
        Arc::new(StoredItem { item, json: OnceLock::new() })
    }

    /// The item in DynamoDB JSON.
    pub(super) fn json(&self) -> &[u8] {
        self.json.get_or_init(|| encode(&self.item))
    }
}

/// Items in the order of their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(super) items: BTreeMap<Key, Arc<StoredItem>>,
    /// The parameters of each transaction, by its client request token.
    pub(super) transactions: BTreeMap<String, Arc<Fields>>,
}

impl Table {
    /// Every item, in DynamoDB JSON, in the order of the keys.
    pub(crate) fn dump(&self) -> Vec<Value> {
        self.items.values().map(|stored| json!(stored.item)).collect()
    }
}

/// Refuses an item that is larger than the maximum.
pub(super) fn check_size(item: &Item) -> Result<(), ServiceError> {
    if item_size(item) > MOST_BYTES {
        return Err(invalid("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}

/// The key of a request that names one item.
pub(super) fn read_key(fields: &mut Fields) -> Result<Key, ServiceError> {
    let Some(value) = fields.take("Key") else { return Err(invalid("The request must contain the parameter Key")) };
    let item = read_item(value)?;
    let key = key_of(&item)?;
    if item.len() == KEYS.len() { Ok(key) } else { Err(invalid("The provided key element does not match the schema")) }
}

/// The key of an item.
pub(super) fn key_of(item: &Item) -> Result<Key, ServiceError> {
    let part = |name: &str| match item.get(name) {
        Some(Attribute::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(_) => {
            Err(invalid(format!("One or more parameter values were invalid: Type mismatch for key {name} expected: S")))
        }
        None => Err(invalid(format!("One or more parameter values were invalid: Missing the key {name} in the item"))),
    };
    Ok((part(KEYS[0])?, part(KEYS[1])?))
}

/// The refusal of a write whose condition does not hold.
pub(super) fn condition_failed() -> ServiceError {
    refuse("ConditionalCheckFailedException", "The conditional request failed")
}
