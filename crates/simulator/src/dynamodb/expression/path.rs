//! Document paths: `a.b[0]`.

use super::super::attribute::{Attribute, Item};
use super::super::invalid;
use crate::service::ServiceError;

/// The path to a value in an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Path {
    pub(super) root: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Element(usize),
}

impl Path {
    /// Whether the path is exactly this top-level attribute.
    pub(super) fn is(&self, name: &str) -> bool {
        self.root == name && self.steps.is_empty()
    }

    pub(super) fn get<'a>(&self, item: &'a Item) -> Option<&'a Attribute> {
        self.steps.iter().try_fold(item.get(&self.root)?, |value, step| match (value, step) {
            (Attribute::Map(members), Step::Member(name)) => members.get(name),
            (Attribute::List(elements), Step::Element(index)) => elements.get(*index),
            _ => None,
        })
    }

    /// Sets the value. Its parent must exist.
    pub(super) fn set(&self, item: &mut Item, value: Attribute) -> Result<(), ServiceError> {
        let Some((last, above)) = self.steps.split_last() else {
            item.insert(self.root.clone(), value);
            return Ok(());
        };
        match (Path::descend(item, &self.root, above), last) {
            (Some(Attribute::Map(members)), Step::Member(name)) => {
                members.insert(name.clone(), value);
            }
            // A value set at an index beyond the end is appended.
            (Some(Attribute::List(elements)), Step::Element(index)) => match elements.get_mut(*index) {
                Some(element) => *element = value,
                None => elements.push(value),
            },
            _ => return Err(not_there()),
        }
        Ok(())
    }

    /// Removes the value. A missing value is no error; a missing parent is one.
    pub(super) fn remove(&self, item: &mut Item) -> Result<(), ServiceError> {
        let Some((last, above)) = self.steps.split_last() else {
            item.remove(&self.root);
            return Ok(());
        };
        match (Path::descend(item, &self.root, above), last) {
            (Some(Attribute::Map(members)), Step::Member(name)) => {
                members.remove(name);
            }
            (Some(Attribute::List(elements)), Step::Element(index)) => {
                if *index < elements.len() {
                    elements.remove(*index);
                }
            }
            _ => return Err(not_there()),
        }
        Ok(())
    }

    fn descend<'a>(item: &'a mut Item, root: &str, steps: &[Step]) -> Option<&'a mut Attribute> {
        steps.iter().try_fold(item.get_mut(root)?, |value, step| match (value, step) {
            (Attribute::Map(members), Step::Member(name)) => members.get_mut(name),
            (Attribute::List(elements), Step::Element(index)) => elements.get_mut(*index),
            _ => None,
        })
    }
}

fn not_there() -> ServiceError {
    invalid("The document path provided in the update expression is invalid for update")
}
