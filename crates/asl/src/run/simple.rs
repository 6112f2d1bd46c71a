//! The states without `Retry` and `Catch`: Pass, Choice, Wait, Succeed and Fail.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::settings::{parameter, unquoted};
use super::{Exit, Run, Visit};
use crate::choice::Choice;
use crate::context::Environment;
use crate::definition::{Pass, ResultPath, Text, WaitUntil};
use crate::error::{EngineError, StateError};
use crate::execution::Failure;
use crate::path::Path;
use crate::template::Template;
use crate::{size, time};

impl<'r> Run<'r> {
    pub(super) fn pass(&self, pass: &Pass, mut visit: Visit<'_, 'r>) -> Result<Exit, StateError> {
        let state = visit.state;
        let exit = self.pass_result(pass, &visit).and_then(|(result, assigned)| {
            // The state's input was checked before, as the output of another state.
            let is_checked = match &pass.result_path {
                ResultPath::Replace => Arc::ptr_eq(&result, &visit.input),
                ResultPath::Discard => true,
                ResultPath::At(_) => false,
            };
            // The visit drops its reference to the input, so that the result can be written into it without a copy.
            let input = std::mem::replace(&mut visit.input, Arc::new(Value::Null));
            let data = super::handling::apply_result(&pass.result_path, input, result)?;
            let environment = self.environment(&visit, 0, None);
            let output = self.output(&data, is_checked, &visit, &environment)?;
            Ok(Exit { output, next: state.next, assigned })
        });
        exit.map_err(|error| visit.state_error(error))
    }

    fn pass_result(&self, pass: &Pass, visit: &Visit<'_, 'r>) -> Result<(Arc<Value>, Option<Arc<Value>>), EngineError> {
        let environment = self.environment(visit, 0, None);
        let mut result = self.select(&visit.state.input_path, &visit.input, &environment)?;
        if let Some(parameters) = &pass.parameters {
            result = Arc::new(parameters.fill(&result, &environment)?);
        }
        if let Some(fixed) = &pass.result {
            result = Arc::clone(fixed);
        }
        let assigned = self.assign(visit.state.assign.as_ref(), &result, &environment)?;
        Ok((result, assigned))
    }

    pub(super) fn choice(&self, choice: &Choice, visit: &Visit<'_, 'r>) -> Result<Exit, EngineError> {
        let environment = self.environment(visit, 0, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let mut chosen = None;
        for rule in &choice.rules {
            if rule.test.holds(&data, &environment)? {
                chosen = Some((rule.next, rule.assign.as_ref()));
                break;
            }
        }
        // The state's own Assign applies to Default only.
        let chosen = chosen.or(choice.default.map(|next| (next, visit.state.assign.as_ref())));
        let Some((next, assign)) = chosen else {
            return Err(EngineError::runtime(
                "Failed to transition out of the state. The state does not point to a next state.",
            ));
        };
        let assigned = self.assign(assign, &data, &environment)?;
        let output = self.output(&data, Arc::ptr_eq(&data, &visit.input), visit, &environment)?;
        Ok(Exit { output, next: Some(next), assigned })
    }

    pub(super) fn succeed(&self, visit: &Visit<'_, 'r>) -> Result<Exit, EngineError> {
        let environment = self.environment(visit, 0, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let output = self.output(&data, Arc::ptr_eq(&data, &visit.input), visit, &environment)?;
        Ok(Exit { output, next: None, assigned: None })
    }

    pub(super) async fn wait(&self, until: &WaitUntil, visit: &Visit<'_, 'r>) -> Result<Exit, EngineError> {
        let environment = self.environment(visit, 0, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let wait = self.wait_for(until, &data, &environment)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let assigned = self.assign(visit.state.assign.as_ref(), &data, &environment)?;
        let output = self.output(&data, Arc::ptr_eq(&data, &visit.input), visit, &environment)?;
        Ok(Exit { output, next: visit.state.next, assigned })
    }

    fn wait_for(
        &self,
        until: &WaitUntil,
        data: &Value,
        environment: &Environment<'_>,
    ) -> Result<Duration, EngineError> {
        let at = match until {
            WaitUntil::Seconds(seconds) => return Ok(Duration::from_secs(*seconds)),
            WaitUntil::SecondsPath(path) => {
                return wait_seconds(path, data, environment).map(Duration::from_secs);
            }
            WaitUntil::Timestamp(at) => *at,
            WaitUntil::TimestampPath(path) => {
                let value = parameter(path, "TimestampPath", data, environment)?;
                value.as_str().and_then(time::parse).ok_or_else(|| {
                    EngineError::runtime(format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                         format string: {} == {}",
                        path.text,
                        unquoted(&value)
                    ))
                })?
            }
        };
        // A time in the past means no wait.
        Ok(Duration::try_from(at.duration_since(self.log.now())).unwrap_or(Duration::ZERO))
    }

    /// The error of a Fail state. If its `Error` or `Cause` cannot be computed, it is that error.
    pub(super) fn fail(&self, error: &Text, cause: &Text, visit: &Visit<'_, 'r>) -> StateError {
        let environment = self.environment(visit, 0, None);
        let texts = fail_text(error, "ErrorPath", &visit.input, &environment)
            .and_then(|error| Ok((error, fail_text(cause, "CausePath", &visit.input, &environment)?)));
        match texts {
            Ok((error, cause)) => StateError::new(Failure { error, cause }, visit.branch.latest.get()),
            Err(error) => visit.state_error(error),
        }
    }

    /// Assigns variables. It computes all values before it sets the first variable.
    pub(super) fn assign(
        &self,
        assign: Option<&Template>,
        data: &Value,
        environment: &Environment<'_>,
    ) -> Result<Option<Arc<Value>>, EngineError> {
        // An empty `Assign` has no effect and no event.
        let Some(assign) = assign.filter(|assign| !assign.names().is_empty()) else { return Ok(None) };
        let values = assign.fill(data, environment)?;
        if size::exceeds(&values, self.limits.payload_bytes) {
            return Err(EngineError::too_large(environment.state));
        }
        for (name, value) in values.as_object().into_iter().flatten() {
            if !environment.scope.set(name, Arc::new(value.clone())) {
                return Err(EngineError::too_large(environment.state));
            }
        }
        Ok(Some(Arc::new(values)))
    }
}

fn wait_seconds(path: &Path, data: &Value, environment: &Environment<'_>) -> Result<u64, EngineError> {
    let value = parameter(path, "SecondsPath", data, environment)?;
    // The service also accepts a string that spells an integer.
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let problem = match seconds {
        Some(seconds) if seconds >= 0 => return Ok(seconds as u64),
        Some(_) => "references a negative value",
        None => "cannot be parsed as a long value",
    };
    Err(EngineError::runtime(format!("The SecondsPath parameter {problem}: {} == {}", path.text, unquoted(&value))))
}

fn fail_text(text: &Text, field: &str, input: &Value, environment: &Environment<'_>) -> Result<String, EngineError> {
    match text {
        Text::None => Ok(String::new()),
        Text::Literal(text) => Ok(text.clone()),
        Text::Expression(expression) => {
            let value = expression.evaluate(field, input, environment)?;
            match value.as_str() {
                Some(text) => Ok(text.to_owned()),
                None => Err(EngineError::runtime(format!(
                    "The value of the field '{field}' must be a string but is '{value}'"
                ))),
            }
        }
    }
}
