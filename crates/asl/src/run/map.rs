//! One attempt at a Map state.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::batch::Batches;
use super::branch::{Branch, Node};
use super::outputs::Outputs;
use super::settings::{count, percentage};
use super::{Run, Visit};
use crate::context::{Environment, Item};
use crate::definition::{MapState, Setting};
use crate::event::EventKind;
use crate::fault::{Fault, Trouble, names};
use crate::path::{Miss, Path, Step};
use crate::template;

/// Iterations that an inline Map runs at a time, however many it is allowed.
const CONCURRENCY_MAX: usize = 40;

/// A Map state's settings for one attempt.
pub(super) struct Plan {
    pub(super) items: Arc<Value>,
    /// If `ItemBatcher` makes the inputs of the iterations.
    batches: Option<Batches>,
    /// What `$` is in an `ItemSelector`.
    pub(super) data: Arc<Value>,
    concurrency: usize,
}

/// How many iterations may fail.
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
}

/// How an iteration ended.
struct Ended<'r> {
    index: usize,
    node: Rc<Node<'r>>,
    result: Result<Arc<Value>, Trouble>,
    /// The last event of its states, from which the next iteration in its place starts.
    left: u64,
    /// Its last event.
    last: u64,
}

impl<'r> Run<'r> {
    pub(super) async fn map(
        &self,
        map: &'r MapState,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, Trouble> {
        let plan = self.plan(map, visit, retries).map_err(|fault| visit.place(fault))?;
        let outer = visit.branch;
        let total = plan.iterations();
        let (started, _) = self.record(outer, EventKind::MapStateStarted { length: total as u64 })?;
        // The service looks at these, and at no other setting, once the Map has started.
        let tolerance = self.tolerance(map, &plan, visit, retries).map_err(|fault| visit.place(fault))?;
        let mut running = FuturesUnordered::new();
        let mut outputs = Outputs::of(visit.state, &map.work, total);
        let mut waiting = 0..total;
        let mut failed = 0_u64;
        let mut last = started;
        // All that can start do so before any of them goes on.
        for index in waiting.by_ref().take(plan.concurrency) {
            running.push(self.begin_iteration(map, &plan, visit, retries, started, index)?);
        }
        while let Some(ended) = running.next().await {
            last = last.max(ended.last);
            match ended.result {
                Ok(output) => {
                    outer.forget(&ended.node);
                    outputs.put(ended.index, Arc::unwrap_or_clone(output));
                }
                Err(trouble) if trouble.fatal => return Err(trouble),
                Err(trouble) => {
                    failed += 1;
                    let within = tolerance.as_ref().is_some_and(|tolerance| tolerance.allows(failed, total));
                    self.end_failed_iteration(&trouble, ended.index as u64, &ended.node, visit)?;
                    if !within {
                        drop(running);
                        self.abort_inner(&outer.node, trouble.previous)?;
                        return Err(if tolerance.is_some() { exceeded(trouble) } else { trouble });
                    }
                }
            }
            if let Some(index) = waiting.next() {
                running.push(self.begin_iteration(map, &plan, visit, retries, ended.left, index)?);
            }
        }
        outer.previous.set(last);
        self.record_aside(outer, EventKind::MapStateSucceeded)?;
        outputs.into_result(visit.state).map(Arc::new).map_err(|fault| visit.place(fault))
    }

    fn plan(&self, map: &MapState, visit: &Visit<'_, 'r>, retries: u32) -> Result<Plan, Fault> {
        let environment = self.environment(visit, retries, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let items = items(map.items_path.as_ref(), &data, &environment)?;
        let number = |setting: &Option<Setting<u64>>, field| count(setting, field, &data, &environment);
        let concurrency = match number(&map.max_concurrency, "MaxConcurrencyPath")? {
            None | Some(0) => CONCURRENCY_MAX,
            Some(most) => usize::try_from(most).unwrap_or(CONCURRENCY_MAX).min(CONCURRENCY_MAX),
        };
        let mut plan = Plan { items, batches: None, data, concurrency };
        if let Some(batcher) = &map.batcher {
            plan.batches = Some(self.batches(map, batcher, &plan, visit, retries)?);
        }
        Ok(plan)
    }

    /// Nothing if the first iteration to fail is to fail the Map.
    fn tolerance(
        &self,
        map: &MapState,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Option<Tolerance>, Fault> {
        let environment = self.environment(visit, retries, None);
        let count = count(&map.tolerated_count, "ToleratedFailureCountPath", &plan.data, &environment)?;
        let percentage = percentage(&map.tolerated_percentage, &plan.data, &environment)?;
        Ok((count.is_some() || percentage.is_some()).then_some(Tolerance { count, percentage }))
    }

    /// Records the iteration's start, and answers the future that is the rest of it.
    fn begin_iteration<'a>(
        &'a self,
        map: &'r MapState,
        plan: &Plan,
        visit: &Visit<'a, 'r>,
        retries: u32,
        from: u64,
        index: usize,
    ) -> Result<impl Future<Output = Ended<'r>> + use<'a, 'r>, Trouble> {
        let state = visit.state;
        // A batch is made of what the selector made of its items already.
        let value = match &plan.batches {
            Some(batches) => {
                self.batch(map, batches, plan, visit, retries, index).map_err(|fault| visit.place(fault))?
            }
            None => plan.items.get(index).cloned().unwrap_or_default(),
        };
        let value = Arc::new(value);
        let branch = visit.branch.iteration(from, Item { index: index as u64, value: Arc::clone(&value) }, state);
        let name = Arc::clone(&state.name);
        self.record(&branch, EventKind::MapIterationStarted { name, index: index as u64 })?;
        let input = match plan.batches {
            Some(_) => Ok(value),
            None => self.select_item(map, plan, visit, retries, branch.item.as_deref(), value),
        };
        let input = input.and_then(|input| self.measured(input, state)).map_err(|fault| visit.place(fault))?;
        Ok(self.iterate(map, branch, input, index, Arc::clone(&state.name)))
    }

    async fn iterate(
        &self,
        map: &'r MapState,
        branch: Branch<'r>,
        input: Arc<Value>,
        index: usize,
        name: Arc<str>,
    ) -> Ended<'r> {
        let mut result = self.inner_states(&map.processor, input, &branch).await;
        let left = result.as_ref().map_or_else(|trouble| trouble.previous, |_| branch.previous.get());
        if result.is_ok() {
            let succeeded = EventKind::MapIterationSucceeded { name, index: index as u64 };
            if let Err(trouble) = self.record(&branch, succeeded) {
                result = Err(trouble);
            }
        }
        Ended { index, node: branch.node, result, left, last: branch.previous.get() }
    }

    fn end_failed_iteration(
        &self,
        trouble: &Trouble,
        index: u64,
        node: &Rc<Node<'r>>,
        visit: &Visit<'_, 'r>,
    ) -> Result<(), Trouble> {
        let kind = EventKind::MapIterationFailed { name: Arc::clone(&visit.state.name), index };
        self.log.record(trouble.previous, Some(index), kind)?;
        self.abort(node, trouble.previous)?;
        visit.branch.forget(node);
        Ok(())
    }

    /// `ItemSelector`, with the item in the context object.
    pub(super) fn select_item(
        &self,
        map: &MapState,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
        item: Option<&Item>,
        value: Arc<Value>,
    ) -> Result<Arc<Value>, Fault> {
        match &map.item_selector {
            None => Ok(value),
            Some(selector) => {
                let environment = Environment { item, ..self.environment(visit, retries, None) };
                selector.fill(&plan.data, &environment).map(Arc::new)
            }
        }
    }
}

impl Plan {
    fn iterations(&self) -> usize {
        match &self.batches {
            Some(batches) => batches.ranges.len(),
            None => self.items.as_array().map_or(0, Vec::len),
        }
    }
}

impl Tolerance {
    fn allows(&self, failed: u64, total: usize) -> bool {
        self.count.is_none_or(|most| failed <= most)
            && self.percentage.is_none_or(|most| failed as f64 * 100.0 / total as f64 <= most)
    }
}

/// One failure too many. Without a threshold, a Map fails as its first iteration to fail does.
fn exceeded(trouble: Trouble) -> Trouble {
    let mut exceeded = trouble;
    (exceeded.alias, exceeded.wildcards) = (None, true);
    exceeded.failure.error = names::EXCEED_TOLERATED_FAILURE_THRESHOLD.to_owned();
    exceeded.failure.cause = "The specified tolerated failure threshold was exceeded".to_owned();
    exceeded
}

fn items(path: Option<&Path>, data: &Arc<Value>, environment: &Environment<'_>) -> Result<Arc<Value>, Fault> {
    let text = path.map_or("$", |path| &path.text);
    let found = match path {
        None => Ok(Arc::clone(data)),
        Some(path) if path.is_all_data() => Ok(Arc::clone(data)),
        Some(path) => template::find(path, data, environment).map(|found| Arc::new(found.into_owned())),
    };
    match found {
        Ok(items) if items.is_array() => Ok(items),
        Ok(_) => Err(Fault::runtime(format!("Reference path \"{text}\" must point to array."))),
        Err(miss) => Err(no_items(path, miss, data, environment)),
    }
}

fn no_items(path: Option<&Path>, miss: Miss, data: &Value, environment: &Environment<'_>) -> Fault {
    let steps = path.map(|path| path.steps.as_slice()).unwrap_or_default();
    let missing = match miss {
        Miss::Before(taken) => taken,
        Miss::Last { .. } => steps.len().saturating_sub(1),
        Miss::NullRoot => return Fault::runtime("Unable to apply Path transformation to null or empty input."),
        Miss::TooLarge => return Fault::too_large(environment.state),
    };
    let step = match steps.get(missing) {
        Some(Step::Name(name)) => name.clone(),
        Some(Step::Index(index)) => index.to_string(),
        None => String::new(),
    };
    Fault::new(names::REFERENCE_PATH_CONFLICT, format!("Unable to apply step \"{step}\" to input {data}"))
}
