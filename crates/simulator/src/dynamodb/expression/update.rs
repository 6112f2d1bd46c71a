//! Updates: `SET a = :x, b = b + :one REMOVE c`.

use super::super::attribute::{Attribute, Item};
use super::super::invalid;
use super::condition::Operand;
use super::path::Path;
use crate::service::{ServiceError, unsupported};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Update {
    pub(super) sets: Vec<(Path, Amount)>,
    pub(super) removes: Vec<Path>,
}

/// The value that a `SET` clause assigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Plain(Operand),
    Sum(Box<Amount>, Box<Amount>),
    Difference(Box<Amount>, Box<Amount>),
    IfNotExists(Path, Box<Amount>),
    ListAppend(Box<Amount>, Box<Amount>),
}

impl Update {
    /// The top-level attributes that the update changes in whole or in part.
    pub(in super::super) fn roots(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().map(|(path, _)| path).chain(&self.removes).map(|path| path.root.as_str())
    }

    /// Applies the update to `after`. Its operands are read from `before`, the item before the update.
    pub(in super::super) fn apply(&self, before: &Item, after: &mut Item) -> Result<(), ServiceError> {
        for (path, amount) in &self.sets {
            path.set(after, amount.evaluate(before)?)?;
        }
        self.removes.iter().try_for_each(|path| path.remove(after))
    }
}

impl Amount {
    fn evaluate(&self, item: &Item) -> Result<Attribute, ServiceError> {
        match self {
            Amount::Plain(operand) => operand.get(item).cloned().ok_or_else(|| {
                invalid("The provided expression refers to an attribute that does not exist in the item")
            }),
            Amount::IfNotExists(path, otherwise) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.evaluate(item),
            },
            Amount::Sum(a, b) => arithmetic(&a.evaluate(item)?, &b.evaluate(item)?, i128::checked_add),
            Amount::Difference(a, b) => arithmetic(&a.evaluate(item)?, &b.evaluate(item)?, i128::checked_sub),
            Amount::ListAppend(a, b) => match (a.evaluate(item)?, b.evaluate(item)?) {
                (Attribute::List(mut a), Attribute::List(b)) => {
                    a.extend(b);
                    Ok(Attribute::List(a))
                }
                _ => Err(wrong_type()),
            },
        }
    }
}

fn arithmetic(a: &Attribute, b: &Attribute, of: fn(i128, i128) -> Option<i128>) -> Result<Attribute, ServiceError> {
    let (Attribute::Number(a), Attribute::Number(b)) = (a, b) else { return Err(wrong_type()) };
    let (Ok(a), Ok(b)) = (a.parse(), b.parse()) else { return Err(unsupported("arithmetic on fractions")) };
    match of(a, b) {
        Some(result) => Ok(Attribute::Number(result.to_string())),
        None => {
            Err(invalid("Number overflow. Attempting to store a number with magnitude larger than supported range"))
        }
    }
}

fn wrong_type() -> ServiceError {
    invalid("An operand in the update expression has an incorrect data type")
}
