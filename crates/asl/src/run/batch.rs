//! `ItemBatcher`: several items in each iteration.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};

use super::map::MapAttempt;
use super::settings::count;
use super::{Run, Visit};
use crate::context::Item;
use crate::definition::{Batcher, MapState, Setting};
use crate::error::EngineError;

/// How the items of a Map are divided into batches. Each batch is made when its iteration starts, as all batches together
/// could be much larger than the items.
pub(super) struct Batches {
    batch_input: Option<Value>,
    /// The indices of the items of each batch.
    pub(super) ranges: Vec<Range<usize>>,
}

impl<'r> Run<'r> {
    pub(super) fn batches(
        &self,
        map: &MapState,
        batcher: &Batcher,
        attempt: &MapAttempt,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Batches, EngineError> {
        let environment = self.environment(visit, retries, None);
        let number = |setting: &Option<Setting<u64>>, field| count(setting, field, &attempt.data, &environment);
        let max_items = number(&batcher.max_items, "MaxItemsPerBatchPath")?.unwrap_or(u64::MAX);
        let max_bytes = number(&batcher.max_bytes, "MaxInputBytesPerBatchPath")?;
        let batch_input =
            batcher.batch_input.as_ref().map(|input| input.fill(&attempt.data, &environment)).transpose()?;
        let empty_batch = batch(batch_input.as_ref(), Vec::new()).to_string().len() as u64;
        let mut ranges = Vec::new();
        let (mut start, mut bytes) = (0, empty_batch);
        let total = attempt.items.as_array().map_or(0, Vec::len);
        for index in 0..total {
            // Only a limit in bytes requires the output of the item selector here.
            let length = match max_bytes {
                Some(_) => self.batched_item(map, attempt, visit, retries, index)?.to_string().len() as u64 + 1,
                None => 0,
            };
            let full = (index - start) as u64 >= max_items || max_bytes.is_some_and(|max| bytes + length > max);
            if index > start && full {
                ranges.push(start..index);
                (start, bytes) = (index, empty_batch);
            }
            bytes += length;
        }
        if total > start {
            ranges.push(start..total);
        }
        Ok(Batches { batch_input, ranges })
    }

    /// The input of the iteration with this index.
    pub(super) fn batch(
        &self,
        map: &MapState,
        batches: &Batches,
        attempt: &MapAttempt,
        visit: &Visit<'_, 'r>,
        retries: u32,
        index: usize,
    ) -> Result<Value, EngineError> {
        let range = batches.ranges.get(index).cloned().unwrap_or_default();
        let mut budget = self.payload_budget();
        let mut items = Vec::with_capacity(range.len());
        for index in range {
            let item = self.batched_item(map, attempt, visit, retries, index)?;
            if !budget.take(&item) {
                return Err(EngineError::too_large(&visit.state.name));
            }
            items.push(Arc::unwrap_or_clone(item));
        }
        Ok(batch(batches.batch_input.as_ref(), items))
    }

    fn batched_item(
        &self,
        map: &MapState,
        attempt: &MapAttempt,
        visit: &Visit<'_, 'r>,
        retries: u32,
        index: usize,
    ) -> Result<Arc<Value>, EngineError> {
        let value = Arc::new(attempt.items.get(index).cloned().unwrap_or_default());
        let item = Item { index: index as u64, value: Arc::clone(&value) };
        self.select_item(map, attempt, visit, retries, Some(&item), value)
    }
}

fn batch(batch_input: Option<&Value>, items: Vec<Value>) -> Value {
    match batch_input {
        Some(input) => json!({"BatchInput": input, "Items": items}),
        None => json!({"Items": items}),
    }
}
