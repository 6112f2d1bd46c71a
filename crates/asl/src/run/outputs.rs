//! The outputs of branches and iterations, which become the one result of the state around them.

use serde_json::Value;

use crate::definition::{ResultPath, State, Work};
use crate::fault::Fault;
use crate::size::{self, Room};

/// What the branches or iterations that have ended so far have left.
pub(super) enum Outputs {
    Kept {
        outputs: Vec<Option<Value>>,
        room: Room,
    },
    /// There was no room for all of them.
    TooLarge,
    /// Nothing looks at them.
    Unused,
}

impl Outputs {
    /// Of a state with so many branches or iterations.
    pub(super) fn of(state: &State, work: &Work, total: usize) -> Outputs {
        let discarded = matches!(work.result_path, ResultPath::Discard);
        match discarded && work.result_selector.is_none() && state.assign.is_none() {
            true => Outputs::Unused,
            false => Outputs::Kept { outputs: vec![None; total], room: Room::of(size::WORKING_BYTES_MAX) },
        }
    }

    pub(super) fn put(&mut self, index: usize, output: Value) {
        if let Outputs::Kept { outputs, room } = self {
            match (room.take(&output), outputs.get_mut(index)) {
                (true, Some(slot)) => *slot = Some(output),
                _ => *self = Outputs::TooLarge,
            }
        }
    }

    /// All of them, in order. What failed and was tolerated has left none.
    pub(super) fn into_result(self, state: &State) -> Result<Value, Fault> {
        match self {
            Outputs::Kept { outputs, .. } => Ok(outputs.into_iter().flatten().collect()),
            Outputs::TooLarge => Err(Fault::too_large(&state.name)),
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
            crate::definition::Kind::Task(task) => Outputs::of(state, &task.work, 60),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_no_one_uses_and_what_is_too_much_is_not_kept() {
        let large = Value::from("x".repeat(200_000));
        let after_all = |fields: &Value| {
            let mut outputs = outputs(fields);
            (0..60).for_each(|index| outputs.put(index, large.clone()));
            outputs
        };
        assert!(matches!(after_all(&json!({})), Outputs::TooLarge));
        assert!(matches!(after_all(&json!({"ResultPath": null})), Outputs::Unused));
        for user in [json!({"Assign": {"v.$": "$[0]"}}), json!({"ResultSelector": {"v.$": "$[0]"}})] {
            let mut fields = user;
            fields["ResultPath"] = Value::Null;
            assert!(matches!(after_all(&fields), Outputs::TooLarge));
        }
    }

    #[test]
    fn outputs_stand_in_the_order_of_their_branches() {
        let mut kept = outputs(&json!({}));
        kept.put(2, json!("c"));
        kept.put(0, json!("a"));
        match kept {
            Outputs::Kept { outputs, .. } => assert_eq!(outputs.into_iter().flatten().collect::<Vec<_>>(), ["a", "c"]),
            Outputs::TooLarge | Outputs::Unused => panic!("there is room for two letters"),
        }
    }
}
