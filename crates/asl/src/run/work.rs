//! Task, Parallel and Map: attempts, retries, catches, and what becomes of the result.
//!
//! The order of precedence: the first retrier that knows the error decides alone whether there is another attempt;
//! if there is none, the first catcher that knows it takes over; if none does, the error goes outwards.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Exit, Run, Visit};
use crate::definition::{Kind, ResultPath, Work};
use crate::event::EventKind;
use crate::fault::{Fault, Trouble, names};
use crate::path::Step;
use crate::{retry, size};

impl<'r> Run<'r> {
    pub(super) async fn work(&self, work: &'r Work, visit: Visit<'_, 'r>) -> Result<Exit, Trouble> {
        let mut done = vec![0; work.retry.len()];
        let mut retries = 0;
        loop {
            let attempt = match &visit.state.kind {
                Kind::Task(task) => self.task(task, &visit, retries).await,
                Kind::Parallel(parallel) => Box::pin(self.parallel(parallel, &visit, retries)).await,
                Kind::Map(map) => Box::pin(self.map(map, &visit, retries)).await,
                // Nothing else is work.
                Kind::Choice(_) | Kind::Fail { .. } | Kind::Pass(_) | Kind::Succeed | Kind::Wait(_) => {
                    return Ok(Exit { output: visit.input, next: visit.state.next, assigned: None });
                }
            };
            let ended = match attempt {
                Ok(result) => self.shape(work, result, &visit, retries),
                Err(trouble) => Err(trouble),
            };
            let trouble = match ended {
                Ok(exit) => return Ok(exit),
                Err(trouble) => trouble,
            };
            // Another attempt goes on from where this one ended, in whichever branch that was.
            visit.branch.previous.set(trouble.previous);
            visit.branch.latest.set(trouble.previous);
            match retry::grant(&work.retry, &mut done, &trouble, &self.random) {
                Some(delay) => {
                    if !delay.is_zero() {
                        tokio::time::sleep(delay).await;
                    }
                    retries += 1;
                    self.transitions.set(self.transitions.get() + 1);
                }
                None => return self.give_up(work, trouble, &visit, retries),
            }
        }
    }

    /// From a raw result to an output.
    fn shape(&self, work: &Work, result: Arc<Value>, visit: &Visit<'_, 'r>, retries: u32) -> Result<Exit, Trouble> {
        let shaped = (|| {
            let environment = self.environment(visit, retries, None);
            // Variables are assigned from the raw result.
            let assigned = self.assign(visit.state.assign.as_ref(), &result, &environment)?;
            let result = match &work.result_selector {
                Some(selector) => Arc::new(selector.fill(&result, &environment)?),
                None => result,
            };
            let data = apply_result(&work.result_path, Arc::clone(&visit.input), result)?;
            let measured = matches!(work.result_path, ResultPath::Discard);
            let output = self.output(&data, measured, visit, &environment)?;
            Ok(Exit { output, next: visit.state.next, assigned })
        })();
        shaped.map_err(|fault| visit.place(fault))
    }

    /// No retry is left: catches the error, or passes it on.
    fn give_up(&self, work: &Work, trouble: Trouble, visit: &Visit<'_, 'r>, retries: u32) -> Result<Exit, Trouble> {
        if trouble.fatal {
            return Err(trouble);
        }
        let failed = match &visit.state.kind {
            Kind::Parallel(_) => Some(EventKind::ParallelStateFailed(trouble.failure.clone())),
            Kind::Map(_) => Some(EventKind::MapStateFailed(trouble.failure.clone())),
            _ => None,
        };
        let mut trouble = trouble;
        if let Some(failed) = failed {
            (trouble.previous, _) = self.record(visit.branch, failed)?;
        }
        let Some(catcher) = work.catch.iter().find(|catcher| retry::takes(&catcher.errors, &trouble)) else {
            return Err(trouble);
        };
        let error = json!({"Error": trouble.failure.error, "Cause": trouble.failure.cause});
        let caught = (|| {
            let environment = self.environment(visit, retries, None);
            let assigned = self.assign(catcher.assign.as_ref(), &error, &environment)?;
            // Neither ResultSelector nor OutputPath touch an error.
            let output = apply_result(&catcher.result_path, Arc::clone(&visit.input), Arc::new(error))?;
            // A cause may quote the input. In a loop it would grow without end.
            if size::exceeds(&output, self.limits.payload_bytes) {
                return Err(Fault::too_large(&visit.state.name));
            }
            Ok(Exit { output, next: Some(catcher.next), assigned })
        })();
        caught.map_err(|fault| visit.place(fault))
    }
}

/// `ResultPath`.
pub(super) fn apply_result(path: &ResultPath, input: Arc<Value>, result: Arc<Value>) -> Result<Arc<Value>, Fault> {
    match path {
        ResultPath::Replace => Ok(result),
        ResultPath::Discard => Ok(input),
        ResultPath::At(steps) => {
            let mut input = input;
            // This copies only if someone else still looks at the input.
            put(Arc::make_mut(&mut input), steps, Arc::unwrap_or_clone(result))?;
            Ok(input)
        }
    }
}

/// Writes a value to a place, and makes the objects on the way to it that are missing.
fn put(data: &mut Value, steps: &[Step], value: Value) -> Result<(), Fault> {
    let mut at = data;
    for step in steps {
        // There is nothing in null that could be lost.
        if at.is_null() && matches!(step, Step::Name(_)) {
            *at = Value::Object(serde_json::Map::new());
        }
        at = match (step, at) {
            (Step::Name(name), Value::Object(fields)) => fields.entry(name.as_str()).or_insert(Value::Null),
            (Step::Index(index), Value::Array(items)) => {
                let length = items.len();
                let slot = usize::try_from(*index).ok().and_then(|index| items.get_mut(index));
                slot.ok_or_else(|| conflict(step, &format!("an array of length {length}")))?
            }
            (step, other) => return Err(conflict(step, &other.to_string())),
        };
    }
    *at = value;
    Ok(())
}

fn conflict(step: &Step, input: &str) -> Fault {
    let step = match step {
        Step::Name(name) => name.clone(),
        Step::Index(index) => index.to_string(),
    };
    Fault::new(names::RESULT_PATH_MATCH_FAILURE, format!("Unable to apply step \"{step}\" to input {input}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    fn written(path: &str, input: Value) -> Result<Value, String> {
        let steps = Path::parse(path).unwrap().steps;
        let mut data = input;
        put(&mut data, &steps, json!("new")).map(|()| data).map_err(|fault| fault.cause)
    }

    #[test]
    fn a_result_is_put_where_its_path_says() {
        assert_eq!(written("$.a", json!({"b": 1})), Ok(json!({"a": "new", "b": 1})));
        assert_eq!(written("$.a.b.c", json!({"a": {"x": 1}})), Ok(json!({"a": {"x": 1, "b": {"c": "new"}}})));
        assert_eq!(written("$.a[1]", json!({"a": [1, 2]})), Ok(json!({"a": [1, "new"]})));
        assert_eq!(written("$.a", json!(null)), Ok(json!({"a": "new"})));
    }

    #[test]
    fn a_result_that_fits_nowhere_is_refused() {
        assert_eq!(
            written("$.a.b", json!({"a": "text"})),
            Err("Unable to apply step \"b\" to input \"text\"".to_owned())
        );
        assert!(written("$.a", json!([1])).is_err());
        assert!(written("$.a[5]", json!({"a": []})).is_err());
    }
}
