//! Collects the outputs of branches and iterations into the result of their Parallel or Map state.

use serde_json::Value;

use crate::definition::{Handling, ResultPath, State};
use crate::error::EngineError;
use crate::size::{self, ByteBudget};

/// The outputs of the branches or iterations that have ended so far.
pub(super) enum Outputs {
    Kept {
        outputs: Vec<Option<Value>>,
        budget: ByteBudget,
    },
    /// The outputs are larger than the budget.
    TooLarge,
    /// No field of the state uses the result.
    Unused,
}

impl Outputs {
    /// No outputs yet, for a state with `total` branches or iterations.
    pub(super) fn new(state: &State, handling: &Handling, total: usize) -> Outputs {
        let discarded = matches!(handling.result_path, ResultPath::Discard);
        match discarded && handling.result_selector.is_none() && state.assign.is_none() {
            true => Outputs::Unused,
            false => Outputs::Kept { outputs: vec![None; total], budget: ByteBudget::new(size::WORKING_BYTES_MAX) },
        }
    }

    pub(super) fn put(&mut self, index: usize, output: Value) {
        if let Outputs::Kept { outputs, budget } = self {
            match (budget.take(&output), outputs.get_mut(index)) {
                (true, Some(slot)) => *slot = Some(output),
                _ => *self = Outputs::TooLarge,
            }
        }
    }

    /// All outputs in order. A tolerated failure has no output.
    pub(super) fn into_result(self, state: &State) -> Result<Value, EngineError> {
        match self {
            Outputs::Kept { outputs, .. } => Ok(outputs.into_iter().flatten().collect()),
            Outputs::TooLarge => Err(EngineError::too_large(&state.name)),
            Outputs::Unused => Ok(Value::Array(Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outputs(fields: &Value) -> Outputs {
        let mut task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
        task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let machine = crate::load::load(&json!({"StartAt": "S", "States": {"S": task}}).to_string()).unwrap();
        let state = &machine.states[0];
        match &state.kind {
            crate::definition::Kind::Task(task) => Outputs::new(state, &task.handling, 60),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn unused_outputs_and_outputs_that_are_too_large_are_not_kept() {
        let large = Value::from("x".repeat(200_000));
        let after_all = |fields: &Value| {
            let mut outputs = outputs(fields);
            (0..60).for_each(|index| outputs.put(index, large.clone()));
            outputs
        };
        assert!(matches!(after_all(&json!({})), Outputs::TooLarge));
        assert!(matches!(after_all(&json!({"ResultPath": null})), Outputs::Unused));
        for fields in [json!({"Assign": {"v.$": "$[0]"}}), json!({"ResultSelector": {"v.$": "$[0]"}})] {
            let mut fields = fields;
            fields["ResultPath"] = Value::Null;
            assert!(matches!(after_all(&fields), Outputs::TooLarge));
        }
    }

    #[test]
    fn outputs_have_the_order_of_their_branches() {
        let mut kept = outputs(&json!({}));
        kept.put(2, json!("c"));
        kept.put(0, json!("a"));
        match kept {
            Outputs::Kept { outputs, .. } => assert_eq!(outputs.into_iter().flatten().collect::<Vec<_>>(), ["a", "c"]),
            Outputs::TooLarge | Outputs::Unused => panic!("two letters fit in the budget"),
        }
    }
}
