//! The position of an execution: one branch for the state machine itself, and one for each running branch or iteration.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Run;
use crate::context::Item;
use crate::definition::State;
use crate::error::StateError;
use crate::event::EventKind;
use crate::scope::Scope;

/// A sequence of states, of which one at a time is active.
pub(super) struct Branch<'r> {
    /// The id of the event that the branch's next event comes after.
    pub(super) previous: Cell<u64>,
    /// The id of the branch's latest event, which can be one that [`Run::record_without_advancing`] recorded.
    pub(super) latest: Cell<u64>,
    pub(super) scope: Rc<Scope>,
    pub(super) item: Option<Rc<Item>>,
    pub(super) iteration: Option<u64>,
    pub(super) node: Rc<Node<'r>>,
}

/// The part of a branch that an outer branch needs to stop it.
#[derive(Default)]
pub(super) struct Node<'r> {
    /// The active state.
    pub(super) state: Cell<Option<&'r State>>,
    /// The branches within that state.
    pub(super) inner: RefCell<Vec<Rc<Node<'r>>>>,
    /// The Map state and the iteration's index, if the branch is an iteration.
    pub(super) iteration: Option<(&'r State, u64)>,
}

impl<'r> Branch<'r> {
    pub(super) fn outermost() -> Branch<'r> {
        Branch {
            previous: Cell::new(0),
            latest: Cell::new(0),
            scope: Rc::default(),
            item: None,
            iteration: None,
            node: Rc::default(),
        }
    }

    /// A branch within this one. Its first event comes after the event `previous`.
    pub(super) fn inner(&self, previous: u64) -> Branch<'r> {
        self.inner_with(previous, self.item.clone(), self.iteration, None)
    }

    /// An iteration within this branch. Its first event comes after the event `previous`.
    pub(super) fn iteration(&self, previous: u64, item: Item, map: &'r State) -> Branch<'r> {
        let index = item.index;
        self.inner_with(previous, Some(Rc::new(item)), Some(index), Some((map, index)))
    }

    fn inner_with(
        &self,
        previous: u64,
        item: Option<Rc<Item>>,
        iteration: Option<u64>,
        of_map: Option<(&'r State, u64)>,
    ) -> Branch<'r> {
        let node = Rc::new(Node { iteration: of_map, ..Node::default() });
        self.node.inner.borrow_mut().push(Rc::clone(&node));
        Branch {
            previous: Cell::new(previous),
            latest: Cell::new(previous),
            scope: Scope::inside(&self.scope),
            item,
            iteration,
            node,
        }
    }

    /// Removes an inner branch that has ended.
    pub(super) fn remove_inner(&self, inner: &Rc<Node<'r>>) {
        self.node.inner.borrow_mut().retain(|node| !Rc::ptr_eq(node, inner));
    }
}

impl<'r> Run<'r> {
    /// Records that the branches within a branch are aborted, because of the event `previous`.
    pub(super) fn abort_inner(&self, node: &Node<'r>, previous: u64) -> Result<(), StateError> {
        for inner in node.inner.take() {
            if let Some((map, index)) = inner.iteration {
                let kind = EventKind::MapIterationAborted { name: map.name.clone(), index };
                self.log.record(previous, Some(index), kind)?;
            }
            self.abort(&inner, previous)?;
        }
        Ok(())
    }

    /// Records that a branch's active state and the branches within it are aborted. It records nothing for a state in which
    /// no time passes: such a state has ended with its own error.
    pub(super) fn abort(&self, node: &Node<'r>, previous: u64) -> Result<(), StateError> {
        self.abort_inner(node, previous)?;
        match node.state.take() {
            Some(state) if state.kind.takes_time() => {
                let kind = EventKind::StateAborted { state_type: state.kind.state_type(), name: state.name.clone() };
                self.log.record(previous, node.iteration.map(|(_, index)| index), kind).map(|_| ())
            }
            _ => Ok(()),
        }
    }
}
