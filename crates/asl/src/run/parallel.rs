//! One attempt at a Parallel state.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::outputs::Outputs;
use super::{Run, Visit};
use crate::definition::Parallel;
use crate::event::EventKind;
use crate::fault::{Fault, Trouble, names};

impl<'r> Run<'r> {
    pub(super) async fn parallel(
        &self,
        parallel: &'r Parallel,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, Trouble> {
        let input = self.parallel_input(parallel, visit, retries).map_err(|fault| visit.place(fault))?;
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
        let mut outputs = Outputs::of(visit.state, &parallel.work, branches.len());
        let mut last = started;
        while let Some((index, ended)) = running.next().await {
            match (ended, branches.get(index)) {
                (Ok(output), Some((_, branch))) => {
                    outputs.put(index, Arc::unwrap_or_clone(output));
                    last = last.max(branch.previous.get());
                    outer.forget(&branch.node);
                }
                (Err(trouble), _) => {
                    drop(running);
                    if !trouble.fatal {
                        self.abort_inner(&outer.node, trouble.previous)?;
                    }
                    return Err(Trouble { alias: Some(names::BRANCH_FAILED), ..trouble });
                }
                // The index came from the branches.
                (Ok(_), None) => {}
            }
        }
        outer.previous.set(last);
        self.record_aside(outer, EventKind::ParallelStateSucceeded)?;
        outputs.into_result(visit.state).map(Arc::new).map_err(|fault| visit.place(fault))
    }

    fn parallel_input(&self, parallel: &Parallel, visit: &Visit<'_, 'r>, retries: u32) -> Result<Arc<Value>, Fault> {
        let environment = self.environment(visit, retries, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let input = match &parallel.parameters {
            Some(parameters) => Arc::new(parameters.fill(&data, &environment)?),
            None => data,
        };
        self.measured(input, visit.state)
    }
}
