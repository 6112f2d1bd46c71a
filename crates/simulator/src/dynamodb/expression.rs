//! Expressions: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>.
//!
//! The lexer turns text into tokens. The parser turns tokens into a condition or an update, which is then evaluated on
//! an item. The parser resolves placeholders. As in DynamoDB, a placeholder that is defined and not used is refused.

mod condition;
mod lexer;
mod parser;
mod path;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::attribute::Attribute;
use super::invalid;
use super::table::KEYS;
use crate::service::{ServiceError, unsupported};
use crate::wire::json::Fields;

pub(super) use condition::Condition;
pub(super) use update::Update;

use condition::{Comparison, Operand};
use parser::Parser;

/// The placeholders of a request, and which of them its expressions used.
#[derive(Debug)]
pub(super) struct Names {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    used: BTreeSet<String>,
}

impl Names {
    pub(super) fn read(fields: &mut Fields) -> Result<Names, ServiceError> {
        let names = fields.map("ExpressionAttributeNames")?;
        let values: BTreeMap<String, Value> = fields.map("ExpressionAttributeValues")?;
        let values =
            values.into_iter().map(|(name, value)| Ok((name, Attribute::read(value)?))).collect::<Result<_, _>>()?;
        Ok(Names { names, values, used: BTreeSet::new() })
    }

    /// The request's condition, if it has one.
    pub(super) fn condition(&mut self, fields: &mut Fields) -> Result<Option<Condition>, ServiceError> {
        match fields.string("ConditionExpression")? {
            None => Ok(None),
            Some(text) => Parser::new("ConditionExpression", &text, self)?.condition().map(Some),
        }
    }

    pub(super) fn update(&mut self, text: &str) -> Result<Update, ServiceError> {
        Parser::new("UpdateExpression", text, self)?.update()
    }

    /// `pk = :p`, optionally `AND` one condition on `sk`.
    pub(super) fn key_condition(&mut self, text: &str) -> Result<PartitionRange, ServiceError> {
        match Parser::new("KeyConditionExpression", text, self)?.condition()? {
            Condition::And(first, second) => PartitionRange::new(*first, Some(*second)),
            only => PartitionRange::new(only, None),
        }
    }

    /// Refuses a request with placeholders that no expression used.
    pub(super) fn finish(&self) -> Result<(), ServiceError> {
        let unused = |name: &&String| !self.used.contains(*name);
        if let Some(name) = self.names.keys().find(unused) {
            return Err(invalid(format!(
                "Value provided in ExpressionAttributeNames unused in expressions: keys: {{{name}}}"
            )));
        }
        if let Some(name) = self.values.keys().find(unused) {
            return Err(invalid(format!(
                "Value provided in ExpressionAttributeValues unused in expressions: keys: {{{name}}}"
            )));
        }
        Ok(())
    }

    fn name(&mut self, placeholder: &str) -> Result<String, ServiceError> {
        self.used.insert(placeholder.to_owned());
        self.names.get(placeholder).cloned().ok_or_else(|| {
            invalid(format!(
                "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            ))
        })
    }

    fn value(&mut self, placeholder: &str) -> Result<Attribute, ServiceError> {
        self.used.insert(placeholder.to_owned());
        self.values.get(placeholder).cloned().ok_or_else(|| {
            invalid(format!(
                "An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            ))
        })
    }
}

/// The part of a partition that a query reads.
#[derive(Debug)]
pub(super) struct PartitionRange {
    pub(super) partition: String,
    sort: Option<Condition>,
}

impl PartitionRange {
    fn new(partition: Condition, sort: Option<Condition>) -> Result<PartitionRange, ServiceError> {
        let Condition::Compare(Operand::Path(path), Comparison::Equal, Operand::Value(Attribute::String(value))) =
            partition
        else {
            return Err(invalid("Query condition missed key schema element: pk"));
        };
        if !path.is(KEYS[0]) {
            return Err(invalid("Query condition missed key schema element: pk"));
        }
        match &sort {
            None => {}
            Some(Condition::Compare(Operand::Path(path), comparison, Operand::Value(_)))
                if path.is(KEYS[1]) && *comparison != Comparison::NotEqual => {}
            Some(Condition::BeginsWith(Operand::Path(path), Operand::Value(_))) if path.is(KEYS[1]) => {}
            Some(other) => return Err(unsupported(format_args!("the key condition {other:?}"))),
        }
        Ok(PartitionRange { partition: value, sort })
    }

    pub(super) fn admits(&self, sort_key: &Attribute) -> bool {
        let item = BTreeMap::from([(KEYS[1].to_owned(), sort_key.clone())]);
        self.sort.as_ref().is_none_or(|condition| condition.holds(&item))
    }
}
