//! Variables. A branch or an iteration can read outer variables. It assigns its own, which are gone after its end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use crate::size;

/// The maximum size of all variables of an execution, in bytes. The source is "Step Functions service quotas", quotas
/// related to variables.
pub(crate) const BYTES_MAX: usize = 10 * 1024 * 1024;

/// The variables of one state machine, branch or iteration.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    own: RefCell<BTreeMap<String, Arc<Value>>>,
    outer: Option<Rc<Scope>>,
    /// The size of the variables of all scopes of the execution.
    bytes: Rc<Cell<usize>>,
}

impl Scope {
    pub(crate) fn inside(outer: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { own: RefCell::default(), outer: Some(Rc::clone(outer)), bytes: Rc::clone(&outer.bytes) })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Value>> {
        match self.own.borrow().get(name) {
            Some(value) => Some(Arc::clone(value)),
            None => self.outer.as_ref()?.get(name),
        }
    }

    /// Sets a variable. Returns false, and sets nothing, if the execution's variables would be too large together.
    pub(crate) fn set(&self, name: &str, value: Arc<Value>) -> bool {
        let bytes = self.bytes.get() + size::bytes(&value);
        if bytes > BYTES_MAX {
            return false;
        }
        let before = self.own.borrow_mut().insert(name.to_owned(), value);
        self.bytes.set(bytes - before.map_or(0, |value| size::bytes(&value)));
        true
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let bytes: usize = self.own.borrow().values().map(|value| size::bytes(value)).sum();
        self.bytes.set(self.bytes.get() - bytes);
    }
}
