//! DynamoDB: one table, and the condition and update expressions of its writes.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/>

mod attribute;
mod expression;
mod query;
mod table;
mod transact;
mod write;

use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::json::{Fields, encode};

pub(crate) use table::Table;

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    let table_name = state.world.table.clone();
    let table = &mut state.table;
    if operation == "TransactWriteItems" {
        return transact::write(table, &table_name, fields).map(|answer| encode(&answer));
    }
    right_table(fields, &table_name)?;
    let answer = match operation {
        "DeleteItem" => write::delete(table, fields),
        "GetItem" => return get(table, fields),
        "PutItem" => write::put(table, fields),
        "Query" => query::query(table, fields),
        "UpdateItem" => write::update(table, fields),
        other => Err(unsupported(format_args!("the operation {other} of DynamoDB"))),
    };
    answer.map(|answer| encode(&answer))
}

fn right_table(fields: &mut Fields, table: &str) -> Result<(), ServiceError> {
    let named = fields.required("TableName")?;
    if named == table || named.rsplit('/').next() == Some(table) {
        return Ok(());
    }
    Err(refuse("ResourceNotFoundException", "Requested resource not found"))
}

/// `GetItem`. Every read is consistent, because there is one copy of the table.
fn get(table: &Table, fields: &mut Fields) -> Result<Vec<u8>, ServiceError> {
    fields.boolean("ConsistentRead")?;
    let key = table::read_key(fields)?;
    fields.finish()?;
    Ok(match table.items.get(&key) {
        Some(stored) => [b"{\"Item\":", stored.json(), b"}"].concat(),
        None => b"{}".to_vec(),
    })
}

/// The refusal of a request that DynamoDB finds malformed.
fn invalid(message: impl Into<String>) -> ServiceError {
    refuse("ValidationException", message)
}
