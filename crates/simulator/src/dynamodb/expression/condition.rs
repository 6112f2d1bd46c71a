//! Conditions and their evaluation on an item.

use std::cmp::Ordering;

use super::super::attribute::{Attribute, Item};
use super::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    BeginsWith(Operand, Operand),
    Exists(Path),
    NotExists(Path),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Operand {
    Path(Path),
    Value(Attribute),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub(in super::super) fn holds(&self, item: &Item) -> bool {
        match self {
            Condition::And(a, b) => a.holds(item) && b.holds(item),
            Condition::Or(a, b) => a.holds(item) || b.holds(item),
            Condition::Not(inner) => !inner.holds(item),
            Condition::Exists(path) => path.get(item).is_some(),
            Condition::NotExists(path) => path.get(item).is_none(),
            Condition::Compare(a, comparison, b) => comparison.holds(a.get(item), b.get(item)),
            Condition::BeginsWith(whole, start) => match (whole.get(item), start.get(item)) {
                (Some(Attribute::String(whole)), Some(Attribute::String(start))) => whole.starts_with(start.as_str()),
                _ => false,
            },
        }
    }
}

impl Operand {
    pub(super) fn get<'a>(&'a self, item: &'a Item) -> Option<&'a Attribute> {
        match self {
            Operand::Path(path) => path.get(item),
            Operand::Value(value) => Some(value),
        }
    }
}

impl Comparison {
    pub(super) fn from_sign(sign: &str) -> Option<Comparison> {
        match sign {
            "=" => Some(Comparison::Equal),
            "<>" => Some(Comparison::NotEqual),
            "<" => Some(Comparison::Less),
            "<=" => Some(Comparison::LessOrEqual),
            ">" => Some(Comparison::Greater),
            ">=" => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    /// A missing value equals nothing, so it differs from everything. It has no order.
    fn holds(self, a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
        let (Some(a), Some(b)) = (a, b) else { return self == Comparison::NotEqual };
        match self {
            Comparison::Equal => a.same(b),
            Comparison::NotEqual => !a.same(b),
            Comparison::Less => a.order(b) == Some(Ordering::Less),
            Comparison::LessOrEqual => a.order(b).is_some_and(Ordering::is_le),
            Comparison::Greater => a.order(b) == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => a.order(b).is_some_and(Ordering::is_ge),
        }
    }
}
