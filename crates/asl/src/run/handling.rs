//! Task, Parallel and Map states: attempts, retries, catches and the output.
//!
//! The order of precedence is this. The first retrier that matches the error decides alone whether there is another
//! attempt. If there is none, the first catcher that matches the error handles it. If no catcher does, the error goes to
//! the state around this one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Exit, Run, Visit};
use crate::definition::{Handling, Kind, ResultPath};
use crate::error::{EngineError, StateError, names};
use crate::event::EventKind;
use crate::path::Step;
use crate::{retry, size};

impl<'r> Run<'r> {
    pub(super) async fn run_with_retries(
        &self,
        handling: &'r Handling,
        visit: Visit<'_, 'r>,
    ) -> Result<Exit, StateError> {
        let mut retries_done = vec![0; handling.retry.len()];
        let mut retries = 0;
        loop {
            let attempt = match &visit.state.kind {
                Kind::Task(task) => self.task(task, &visit, retries).await,
                Kind::Parallel(parallel) => Box::pin(self.parallel(parallel, &visit, retries)).await,
                Kind::Map(map) => Box::pin(self.map(map, &visit, retries)).await,
                // No other type has retries.
                Kind::Choice(_) | Kind::Fail { .. } | Kind::Pass(_) | Kind::Succeed | Kind::Wait(_) => {
                    return Ok(Exit { output: visit.input, next: visit.state.next, assigned: None });
                }
            };
            let ended = match attempt {
                Ok(result) => self.make_output(handling, result, &visit, retries),
                Err(error) => Err(error),
            };
            let error = match ended {
                Ok(exit) => return Ok(exit),
                Err(error) => error,
            };
            // The next attempt's events come after the last event of this one, which can be in an inner branch.
            visit.branch.previous.set(error.previous);
            visit.branch.latest.set(error.previous);
            match retry::next_retry(&handling.retry, &mut retries_done, &error, &self.random) {
                Some(delay) => {
                    if !delay.is_zero() {
                        tokio::time::sleep(delay).await;
                    }
                    retries += 1;
                    self.transitions.set(self.transitions.get() + 1);
                }
                None => return self.catch_or_fail(handling, error, &visit, retries),
            }
        }
    }

    /// Makes the state's output from a raw result.
    fn make_output(
        &self,
        handling: &Handling,
        result: Arc<Value>,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Exit, StateError> {
        let exit = (|| {
            let environment = self.environment(visit, retries, None);
            // Variables are assigned from the raw result.
            let assigned = self.assign(visit.state.assign.as_ref(), &result, &environment)?;
            let result = match &handling.result_selector {
                Some(selector) => Arc::new(selector.fill(&result, &environment)?),
                None => result,
            };
            let data = apply_result(&handling.result_path, Arc::clone(&visit.input), result)?;
            let is_checked = matches!(handling.result_path, ResultPath::Discard);
            let output = self.output(&data, is_checked, visit, &environment)?;
            Ok(Exit { output, next: visit.state.next, assigned })
        })();
        exit.map_err(|error| visit.state_error(error))
    }

    /// Handles the error of the last attempt: a catcher continues the execution, or the state fails.
    fn catch_or_fail(
        &self,
        handling: &Handling,
        error: StateError,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Exit, StateError> {
        if error.fatal {
            return Err(error);
        }
        let failed = match &visit.state.kind {
            Kind::Parallel(_) => Some(EventKind::ParallelStateFailed(error.failure.clone())),
            Kind::Map(_) => Some(EventKind::MapStateFailed(error.failure.clone())),
            _ => None,
        };
        let mut error = error;
        if let Some(failed) = failed {
            (error.previous, _) = self.record(visit.branch, failed)?;
        }
        let Some(catcher) = handling.catch.iter().find(|catcher| retry::matches_any(&catcher.errors, &error)) else {
            return Err(error);
        };
        let error_output = json!({"Error": error.failure.error, "Cause": error.failure.cause});
        let exit = (|| {
            let environment = self.environment(visit, retries, None);
            let assigned = self.assign(catcher.assign.as_ref(), &error_output, &environment)?;
            // Neither ResultSelector nor OutputPath applies to an error output.
            let output = apply_result(&catcher.result_path, Arc::clone(&visit.input), Arc::new(error_output))?;
            // A cause can quote the input. In a loop, it would grow without a limit.
            if size::exceeds(&output, self.limits.payload_bytes) {
                return Err(EngineError::too_large(&visit.state.name));
            }
            Ok(Exit { output, next: Some(catcher.next), assigned })
        })();
        exit.map_err(|error| visit.state_error(error))
    }
}

/// Applies `ResultPath` to the state's input and result.
pub(super) fn apply_result(
    path: &ResultPath,
    input: Arc<Value>,
    result: Arc<Value>,
) -> Result<Arc<Value>, EngineError> {
    match path {
        ResultPath::Replace => Ok(result),
        ResultPath::Discard => Ok(input),
        ResultPath::At(steps) => {
            let mut input = input;
            // This copies the input only if it is still shared.
            put(Arc::make_mut(&mut input), steps, Arc::unwrap_or_clone(result))?;
            Ok(input)
        }
    }
}

/// Writes a value at a path, and creates the missing objects along the path.
fn put(data: &mut Value, steps: &[Step], value: Value) -> Result<(), EngineError> {
    let mut at = data;
    for step in steps {
        // As null has no content, an object can replace it.
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

fn conflict(step: &Step, input: &str) -> EngineError {
    let step = match step {
        Step::Name(name) => name.clone(),
        Step::Index(index) => index.to_string(),
    };
    EngineError::new(names::RESULT_PATH_MATCH_FAILURE, format!("Unable to apply step \"{step}\" to input {input}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    fn written(path: &str, input: Value) -> Result<Value, String> {
        let steps = Path::parse(path).unwrap().steps;
        let mut data = input;
        put(&mut data, &steps, json!("new")).map(|()| data).map_err(|error| error.cause)
    }

    #[test]
    fn a_result_is_written_at_its_path() {
        assert_eq!(written("$.a", json!({"b": 1})), Ok(json!({"a": "new", "b": 1})));
        assert_eq!(written("$.a.b.c", json!({"a": {"x": 1}})), Ok(json!({"a": {"x": 1, "b": {"c": "new"}}})));
        assert_eq!(written("$.a[1]", json!({"a": [1, 2]})), Ok(json!({"a": [1, "new"]})));
        assert_eq!(written("$.a", json!(null)), Ok(json!({"a": "new"})));
    }

    #[test]
    fn a_result_path_that_does_not_match_the_input_fails() {
        assert_eq!(
            written("$.a.b", json!({"a": "text"})),
            Err("Unable to apply step \"b\" to input \"text\"".to_owned())
        );
        assert!(written("$.a", json!([1])).is_err());
        assert!(written("$.a[5]", json!({"a": []})).is_err());
    }
}
