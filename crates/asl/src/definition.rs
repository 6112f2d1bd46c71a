//! A loaded definition. State names are resolved to indices, and paths and payload templates are parsed.

mod state;

use std::sync::Arc;

use serde_json::Value;

use crate::invalid::Invalid;
use crate::load;

pub(crate) use state::{
    Batcher, Handling, Kind, Machine, MapState, Parallel, Pass, ResultPath, Select, Setting, State, TaskKind, Text,
    WaitUntil,
};

/// A valid definition. A clone shares it and costs little.
#[derive(Clone, Debug)]
pub struct StateMachine {
    pub(crate) machine: Arc<Machine>,
}

impl StateMachine {
    /// Parses and validates a definition.
    ///
    /// # Errors
    ///
    /// All defects for which Step Functions rejects a definition, and every feature that this engine does not support.
    pub fn parse(definition: &str) -> Result<StateMachine, Invalid> {
        load::load(definition).map(|machine| StateMachine { machine: Arc::new(machine) })
    }

    /// The definition's `Comment`.
    pub fn comment(&self) -> Option<&str> {
        self.machine.comment.as_deref()
    }

    /// Every Task state of the definition, including those in branches and item processors.
    pub fn tasks(&self) -> impl Iterator<Item = TaskState<'_>> {
        let mut tasks = Vec::new();
        collect_tasks(&self.machine, &mut tasks);
        tasks.into_iter()
    }
}

/// A Task state as the definition has it.
#[derive(Clone, Copy, Debug)]
pub struct TaskState<'a> {
    /// The state's name, which is unique in the definition.
    pub name: &'a str,
    /// The state's `Resource`.
    pub resource: &'a str,
    /// The state's `Parameters`, not filled in.
    pub parameters: Option<&'a Value>,
}

fn collect_tasks<'a>(machine: &'a Machine, tasks: &mut Vec<TaskState<'a>>) {
    for state in &machine.states {
        match &state.kind {
            Kind::Task(task) => tasks.push(TaskState {
                name: &state.name,
                resource: &task.resource,
                parameters: task.parameters_as_written.as_ref(),
            }),
            Kind::Parallel(parallel) => parallel.branches.iter().for_each(|branch| collect_tasks(branch, tasks)),
            Kind::Map(map) => collect_tasks(&map.processor, tasks),
            Kind::Choice(_) | Kind::Fail { .. } | Kind::Pass(_) | Kind::Succeed | Kind::Wait(_) => {}
        }
    }
}
