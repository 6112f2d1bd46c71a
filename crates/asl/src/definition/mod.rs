//! A definition after loading: names resolved to indices, paths and templates parsed, nothing left to look up.

mod state;

use std::sync::Arc;

use serde_json::Value;

use crate::invalid::Invalid;
use crate::load;

pub(crate) use state::{
    Batcher, Kind, Machine, MapState, Parallel, Pass, ResultPath, Select, Setting, State, TaskKind, Text, WaitUntil,
    Work,
};

/// A validated definition. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StateMachine {
    pub(crate) machine: Arc<Machine>,
}

impl StateMachine {
    /// Reads and checks a definition.
    ///
    /// # Errors
    ///
    /// All that the service would refuse, and all that it would run and this engine does not.
    pub fn parse(definition: &str) -> Result<StateMachine, Invalid> {
        load::load(definition).map(|machine| StateMachine { machine: Arc::new(machine) })
    }

    /// Its `Comment`.
    pub fn comment(&self) -> Option<&str> {
        self.machine.comment.as_deref()
    }

    /// Every Task state anywhere in it, those in branches and item processors included.
    pub fn tasks(&self) -> impl Iterator<Item = TaskState<'_>> {
        let mut tasks = Vec::new();
        collect_tasks(&self.machine, &mut tasks);
        tasks.into_iter()
    }
}

/// A Task state as it stands in a definition.
#[derive(Clone, Copy, Debug)]
pub struct TaskState<'a> {
    /// Its name, which no other state of the definition has.
    pub name: &'a str,
    /// Its `Resource`.
    pub resource: &'a str,
    /// Its `Parameters` as written.
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
