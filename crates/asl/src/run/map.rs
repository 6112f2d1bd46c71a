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
use crate::error::{EngineError, StateError, names};
use crate::event::EventKind;
use crate::path::{Miss, Path, Step};
use crate::template;

/// The maximum number of iterations that an inline Map runs at a time, whatever its `MaxConcurrency`.
const CONCURRENCY_MAX: usize = 40;

/// The items and the settings of one attempt at a Map state.
pub(super) struct MapAttempt {
    pub(super) items: Arc<Value>,
    /// The batches, if the Map has an `ItemBatcher`.
    batches: Option<Batches>,
    /// The data that `$` refers to in an `ItemSelector`.
    pub(super) data: Arc<Value>,
    concurrency: usize,
}

/// The number or the percentage of iterations that can fail without a failure of the Map.
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
}

/// The end of an iteration.
struct EndedIteration<'r> {
    index: usize,
    node: Rc<Node<'r>>,
    result: Result<Arc<Value>, StateError>,
    /// The last event of its states. The iteration that starts next comes after it.
    last_state_event: u64,
    /// The last event of the iteration.
    last_event: u64,
}

impl<'r> Run<'r> {
    pub(super) async fn map(
        &self,
        map: &'r MapState,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Arc<Value>, StateError> {
        let attempt = self.map_attempt(map, visit, retries).map_err(|error| visit.state_error(error))?;
        let outer = visit.branch;
        let total = attempt.iterations();
        let (started, _) = self.record(outer, EventKind::MapStateStarted { length: total as u64 })?;
        // The service computes the tolerance, unlike all other settings, after the event MapStateStarted.
        let tolerance = self.tolerance(map, &attempt, visit, retries).map_err(|error| visit.state_error(error))?;
        let mut running = FuturesUnordered::new();
        let mut outputs = Outputs::new(visit.state, &map.handling, total);
        let mut remaining = 0..total;
        let mut failed = 0_u64;
        let mut last_event = started;
        // All iterations that can run at the same time start before any of them continues.
        for index in remaining.by_ref().take(attempt.concurrency) {
            running.push(self.begin_iteration(map, &attempt, visit, retries, started, index)?);
        }
        while let Some(ended) = running.next().await {
            last_event = last_event.max(ended.last_event);
            match ended.result {
                Ok(output) => {
                    outer.remove_inner(&ended.node);
                    outputs.put(ended.index, Arc::unwrap_or_clone(output));
                }
                Err(error) if error.fatal => return Err(error),
                Err(error) => {
                    failed += 1;
                    let is_tolerated = tolerance.as_ref().is_some_and(|tolerance| tolerance.allows(failed, total));
                    self.end_failed_iteration(&error, ended.index as u64, &ended.node, visit)?;
                    if !is_tolerated {
                        drop(running);
                        self.abort_inner(&outer.node, error.previous)?;
                        return Err(if tolerance.is_some() { exceeded(error) } else { error });
                    }
                }
            }
            if let Some(index) = remaining.next() {
                running.push(self.begin_iteration(map, &attempt, visit, retries, ended.last_state_event, index)?);
            }
        }
        outer.previous.set(last_event);
        self.record_without_advancing(outer, EventKind::MapStateSucceeded)?;
        outputs.into_result(visit.state).map(Arc::new).map_err(|error| visit.state_error(error))
    }

    fn map_attempt(&self, map: &MapState, visit: &Visit<'_, 'r>, retries: u32) -> Result<MapAttempt, EngineError> {
        let environment = self.environment(visit, retries, None);
        let data = self.select(&visit.state.input_path, &visit.input, &environment)?;
        let items = items(map.items_path.as_ref(), &data, &environment)?;
        let number = |setting: &Option<Setting<u64>>, field| count(setting, field, &data, &environment);
        let concurrency = match number(&map.max_concurrency, "MaxConcurrencyPath")? {
            None | Some(0) => CONCURRENCY_MAX,
            Some(max) => usize::try_from(max).unwrap_or(CONCURRENCY_MAX).min(CONCURRENCY_MAX),
        };
        let mut attempt = MapAttempt { items, batches: None, data, concurrency };
        if let Some(batcher) = &map.batcher {
            attempt.batches = Some(self.batches(map, batcher, &attempt, visit, retries)?);
        }
        Ok(attempt)
    }

    /// `None` if the first failed iteration makes the Map fail.
    fn tolerance(
        &self,
        map: &MapState,
        attempt: &MapAttempt,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Option<Tolerance>, EngineError> {
        let environment = self.environment(visit, retries, None);
        let count = count(&map.tolerated_count, "ToleratedFailureCountPath", &attempt.data, &environment)?;
        let percentage = percentage(&map.tolerated_percentage, &attempt.data, &environment)?;
        Ok((count.is_some() || percentage.is_some()).then_some(Tolerance { count, percentage }))
    }

    /// Records the iteration's start and returns a future that runs it.
    fn begin_iteration<'a>(
        &'a self,
        map: &'r MapState,
        attempt: &MapAttempt,
        visit: &Visit<'a, 'r>,
        retries: u32,
        from: u64,
        index: usize,
    ) -> Result<impl Future<Output = EndedIteration<'r>> + use<'a, 'r>, StateError> {
        let state = visit.state;
        // For a batch, the item selector has already been applied to each item.
        let value = match &attempt.batches {
            Some(batches) => {
                self.batch(map, batches, attempt, visit, retries, index).map_err(|error| visit.state_error(error))?
            }
            None => attempt.items.get(index).cloned().unwrap_or_default(),
        };
        let value = Arc::new(value);
        let branch = visit.branch.iteration(from, Item { index: index as u64, value: Arc::clone(&value) }, state);
        let name = Arc::clone(&state.name);
        self.record(&branch, EventKind::MapIterationStarted { name, index: index as u64 })?;
        let input = match attempt.batches {
            Some(_) => Ok(value),
            None => self.select_item(map, attempt, visit, retries, branch.item.as_deref(), value),
        };
        let input = input.and_then(|input| self.check_size(input, state)).map_err(|error| visit.state_error(error))?;
        Ok(self.iterate(map, branch, input, index, Arc::clone(&state.name)))
    }

    async fn iterate(
        &self,
        map: &'r MapState,
        branch: Branch<'r>,
        input: Arc<Value>,
        index: usize,
        name: Arc<str>,
    ) -> EndedIteration<'r> {
        let mut result = self.inner_states(&map.processor, input, &branch).await;
        let last_state_event = result.as_ref().map_or_else(|error| error.previous, |_| branch.previous.get());
        if result.is_ok() {
            let succeeded = EventKind::MapIterationSucceeded { name, index: index as u64 };
            if let Err(error) = self.record(&branch, succeeded) {
                result = Err(error);
            }
        }
        EndedIteration { index, node: branch.node, result, last_state_event, last_event: branch.previous.get() }
    }

    fn end_failed_iteration(
        &self,
        error: &StateError,
        index: u64,
        node: &Rc<Node<'r>>,
        visit: &Visit<'_, 'r>,
    ) -> Result<(), StateError> {
        let kind = EventKind::MapIterationFailed { name: Arc::clone(&visit.state.name), index };
        self.log.record(error.previous, Some(index), kind)?;
        self.abort(node, error.previous)?;
        visit.branch.remove_inner(node);
        Ok(())
    }

    /// Applies `ItemSelector`, with the item in the context object.
    pub(super) fn select_item(
        &self,
        map: &MapState,
        attempt: &MapAttempt,
        visit: &Visit<'_, 'r>,
        retries: u32,
        item: Option<&Item>,
        value: Arc<Value>,
    ) -> Result<Arc<Value>, EngineError> {
        match &map.item_selector {
            None => Ok(value),
            Some(selector) => {
                let environment = Environment { item, ..self.environment(visit, retries, None) };
                selector.fill(&attempt.data, &environment).map(Arc::new)
            }
        }
    }
}

impl MapAttempt {
    fn iterations(&self) -> usize {
        match &self.batches {
            Some(batches) => batches.ranges.len(),
            None => self.items.as_array().map_or(0, Vec::len),
        }
    }
}

impl Tolerance {
    fn allows(&self, failed: u64, total: usize) -> bool {
        self.count.is_none_or(|max| failed <= max)
            && self.percentage.is_none_or(|max| failed as f64 * 100.0 / total as f64 <= max)
    }
}

/// The error of a Map in which more iterations failed than its threshold. Without a threshold, a Map fails with the error
/// of its first failed iteration.
fn exceeded(error: StateError) -> StateError {
    let mut exceeded = error;
    (exceeded.alias, exceeded.wildcards) = (None, true);
    exceeded.failure.error = names::EXCEED_TOLERATED_FAILURE_THRESHOLD.to_owned();
    exceeded.failure.cause = "The specified tolerated failure threshold was exceeded".to_owned();
    exceeded
}

fn items(path: Option<&Path>, data: &Arc<Value>, environment: &Environment<'_>) -> Result<Arc<Value>, EngineError> {
    let text = path.map_or("$", |path| &path.text);
    let found = match path {
        None => Ok(Arc::clone(data)),
        Some(path) if path.is_all_data() => Ok(Arc::clone(data)),
        Some(path) => template::find(path, data, environment).map(|found| Arc::new(found.into_owned())),
    };
    match found {
        Ok(items) if items.is_array() => Ok(items),
        Ok(_) => Err(EngineError::runtime(format!("Reference path \"{text}\" must point to array."))),
        Err(miss) => Err(items_not_found(path, miss, data, environment)),
    }
}

fn items_not_found(path: Option<&Path>, miss: Miss, data: &Value, environment: &Environment<'_>) -> EngineError {
    let steps = path.map(|path| path.steps.as_slice()).unwrap_or_default();
    let missing = match miss {
        Miss::Before(index) => index,
        Miss::Last { .. } => steps.len().saturating_sub(1),
        Miss::NullRoot => return EngineError::runtime("Unable to apply Path transformation to null or empty input."),
        Miss::TooLarge => return EngineError::too_large(environment.state),
    };
    let step = match steps.get(missing) {
        Some(Step::Name(name)) => name.clone(),
        Some(Step::Index(index)) => index.to_string(),
        None => String::new(),
    };
    EngineError::new(names::REFERENCE_PATH_CONFLICT, format!("Unable to apply step \"{step}\" to input {data}"))
}
