//! One attempt at a Parallel state.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::outputs::Outputs;
use super::{Run, Visit};
use crate::definition::Parallel;
use crate::error::{EngineError, StateError, names};
use crate::event::EventKind;

impl<'r> Run<'r> {
    pub(super) async fn parallel(
        &self,
        parallel: &'r Parallel,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, StateError> {
        let input = self.parallel_input(parallel, visit, retries).map_err(|error| visit.state_error(error))?;
        let outer = visit.branch;
        let (started, _) = self.record(outer, EventKind::ParallelStateStarted)?;
        let branches: Vec<_> = parallel.branches.iter().map(|machine| (machine, outer.inner(started))).collect();
        let mut running: FuturesUnordered<_> = branches
            .iter()
            .enumerate()
            .map(|(index, (machine, branch))| {
                let states = self.inner_states(machine, Arc::clone(&input), branch);
                async move { (index, states.await) }
            })
            .collect();
        let mut outputs = Outputs::new(visit.state, &parallel.handling, branches.len());
        let mut last_event = started;
        while let Some((index, result)) = running.next().await {
            match (result, branches.get(index)) {
                (Ok(output), Some((_, branch))) => {
                    outputs.put(index, Arc::unwrap_or_clone(output));
                    last_event = last_event.max(branch.previous.get());
                    outer.remove_inner(&branch.node);
                }
                (Err(error), _) => {
                    drop(running);
                    if !error.fatal {
                        self.abort_inner(&outer.node, error.previous)?;
                    }
                    return Err(StateError { alias: Some(names::BRANCH_FAILED), ..error });
                }
                // This cannot happen: the index is that of a branch.
                (Ok(_), None) => {}
            }
        }
        outer.previous.set(last_event);
        self.record_without_advancing(outer, EventKind::ParallelStateSucceeded)?;
        outputs.into_result(visit.state).map(Arc::new).map_err(|error| visit.state_error(error))
    }

    fn parallel_input(
        &self,
        parallel: &Parallel,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, EngineError> {
        let environment = self.environment(visit, retries, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let input = match &parallel.parameters {
            Some(parameters) => Arc::new(parameters.fill(&data, &environment)?),
            None => data,
        };
        self.check_size(input, visit.state)
    }
}
