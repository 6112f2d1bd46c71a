//! Variables. A branch or an iteration reads those around it and writes its own, which end with it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

/// The variables of one state machine, branch or iteration.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    own: RefCell<BTreeMap<String, Arc<Value>>>,
    around: Option<Rc<Scope>>,
}

impl Scope {
    pub(crate) fn inside(around: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { own: RefCell::default(), around: Some(Rc::clone(around)) })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Value>> {
        match self.own.borrow().get(name) {
            Some(value) => Some(Arc::clone(value)),
            None => self.around.as_ref()?.get(name),
        }
    }

    pub(crate) fn set(&self, name: &str, value: Arc<Value>) {
        self.own.borrow_mut().insert(name.to_owned(), value);
    }
}
