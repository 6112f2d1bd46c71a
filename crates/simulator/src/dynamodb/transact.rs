//! `TransactWriteItems`: writes all of its items or none.

use std::sync::Arc;

use serde_json::{Value, json};

use super::table::Table;
use super::write::Write;
use super::{invalid, right_table};
use crate::service::{ServiceError, refuse, unsupported};
use crate::wire::json::Fields;

/// The maximum number of actions in a transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const MOST_ACTIONS: usize = 100;

/// `TransactWriteItems`. A repeated call with the same token does nothing. AWS forgets a token after ten minutes. The
/// simulator keeps it, because the SDK makes a new token for each call that has none.
pub(super) fn write(table: &mut Table, table_name: &str, fields: &mut Fields) -> Result<Value, ServiceError> {
    let token = fields.string("ClientRequestToken")?;
    let parameters = fields.clone();
    let items = fields.structures("TransactItems")?;
    fields.finish()?;
    match token.as_ref().and_then(|token| table.transactions.get(token)) {
        Some(earlier) if **earlier == parameters => return Ok(json!({})),
        Some(_) => {
            let message = "Request rejected because it was retried with a different payload and the same token.";
            return Err(refuse("IdempotentParameterMismatchException", message));
        }
        None => {}
    }
    if items.is_empty() || items.len() > MOST_ACTIONS {
        return Err(invalid(format!("1 validation error detected: a transaction has 1 to {MOST_ACTIONS} actions")));
    }
    let mut writes = Vec::with_capacity(items.len());
    for mut item in items {
        let write = action(&mut item, table_name)?;
        item.finish()?;
        if writes.iter().any(|other: &Write| other.key == write.key) {
            return Err(invalid("Transaction request cannot include multiple operations on one item"));
        }
        writes.push(write);
    }
    let results: Vec<_> = writes.iter().map(|write| write.evaluate(table)).collect();
    if results.iter().any(Result::is_err) {
        return Err(cancelled(&results.iter().map(|result| result.as_ref().err()).collect::<Vec<_>>()));
    }
    for (write, after) in writes.into_iter().zip(results) {
        if let Ok(after) = after {
            write.commit(table, after);
        }
    }
    if let Some(token) = token {
        table.transactions.insert(token, Arc::new(parameters));
    }
    Ok(json!({}))
}

fn action(item: &mut Fields, table_name: &str) -> Result<Write, ServiceError> {
    type Read = fn(&mut Fields) -> Result<Write, ServiceError>;
    let kinds: [(&str, Read); 4] = [
        ("Put", Write::read_put),
        ("Delete", Write::read_delete),
        ("Update", Write::read_update),
        ("ConditionCheck", Write::read_check),
    ];
    for (name, read) in kinds {
        if let Some(mut inner) = item.structure(name)? {
            right_table(&mut inner, table_name)?;
            let write = read(&mut inner)?;
            inner.finish()?;
            return Ok(write);
        }
    }
    Err(unsupported("an action in a transaction that is none of Put, Delete, Update and ConditionCheck"))
}

/// The cancellation reasons are only in the message, without the list `CancellationReasons`. For an SDK that does not read
/// the list, this is the same answer.
fn cancelled(reasons: &[Option<&ServiceError>]) -> ServiceError {
    let code = |reason: &Option<&ServiceError>| match reason {
        None => "None".to_owned(),
        Some(error) => error.code.trim_end_matches("Exception").to_owned(),
    };
    let codes: Vec<String> = reasons.iter().map(code).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    refuse("TransactionCanceledException", message)
}
