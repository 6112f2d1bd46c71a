//! The list of steps, and what all steps share: JSON in, JSON or a named error out, and a record of the result.

use crate::steps::{
    ask_approval, back_up, begin, commit, configure, create_from_snapshot, delete, finish, image_member, observe,
    quiet_hour, resume, retag, scale, snapshot, start, stop, sync_tags, verify,
};
use crate::{Aws, StepError};
use fleet::{SCHEMA, StateContext, StepRecord, StepResult, Ticket};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::pin::Pin;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, StepError>> + Send + 'a>>;

/// One step, by name.
#[derive(Clone, Copy)]
pub struct Step {
    /// The step's name; its Lambda function is `fleetwright-` and this.
    pub name: &'static str,
    run: for<'a> fn(&'a Aws, Value) -> Answer<'a>,
}

macro_rules! steps {
    ($($name:literal => $module:ident,)*) => {
        /// Every step, sorted by name.
        pub const STEPS: &[Step] = &[$(Step {
            name: $name,
            run: |aws, input| Box::pin(async move {
                let output = $module::run(aws, read(input)?).await?;
                serde_json::to_value(output).map_err(|error| StepError::Failed(error.to_string()))
            }),
        },)*];
    };
}

steps! {
    "ask-approval" => ask_approval,
    "back-up" => back_up,
    "begin" => begin,
    "commit" => commit,
    "configure" => configure,
    "create-from-snapshot" => create_from_snapshot,
    "delete" => delete,
    "finish" => finish,
    "image-member" => image_member,
    "observe" => observe,
    "quiet-hour" => quiet_hour,
    "resume" => resume,
    "retag" => retag,
    "scale" => scale,
    "snapshot" => snapshot,
    "start" => start,
    "stop" => stop,
    "sync-tags" => sync_tags,
    "verify" => verify,
}

impl Step {
    /// The step of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        STEPS.iter().find(|step| step.name == name)
    }

    /// Runs the step once. If the result is final, records it in the ledger.
    ///
    /// # Errors
    /// A named error. An input of the wrong shape is [`StepError::Refused`] before any call to AWS.
    pub async fn invoke(&self, aws: &Aws, input: Value) -> Result<Value, StepError> {
        let of_run = Ticket::deserialize(&input["run"])
            .ok()
            .map(|ticket| ticket.run())
            .zip(StateContext::deserialize(&input["state"]).ok());
        let answer = (self.run)(aws, input).await;
        let result = match &answer {
            Ok(_) => StepResult::Done,
            Err(error) if error.is_final() => StepResult::Failed(format!("{}: {error}", error.name())),
            Err(_) => return answer,
        };
        let of_run = match of_run {
            // The run of a failed step may not exist.
            Some((run, _)) if answer.is_err() && !matches!(aws.ledger().run(&run).await, Ok(Some(_))) => None,
            of_run => of_run,
        };
        if let Some((run, state)) = of_run {
            let record = StepRecord {
                schema: SCHEMA,
                state: state.name,
                step: self.name.to_owned(),
                started: state.entered_time,
                ended: aws.now(),
                attempts: state.retry_count + 1,
                result,
            };
            let recorded = aws.ledger().record_step(&run, &record).await;
            match (answer, recorded) {
                // The step has done its work. A missing record of it must not roll the run back.
                (Ok(output), Err(error)) if error.is_final() => {
                    tracing::warn!(%error, "the result of the step is not recorded");
                    Ok(output)
                }
                (Ok(_), Err(error)) => Err(error),
                // The error of the step says more than the error of its record.
                (answer, _) => answer,
            }
        } else {
            answer
        }
    }
}

fn read<I: DeserializeOwned>(input: Value) -> Result<I, StepError> {
    serde_json::from_value(input).map_err(|error| StepError::Refused(format!("the step's input: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_each_step_once() {
        assert!(STEPS.is_sorted_by(|a, b| a.name < b.name));
    }
}
