//! `ItemBatcher`: several items to an iteration.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};

use super::map::Plan;
use super::settings::count;
use super::{Run, Visit};
use crate::context::Item;
use crate::definition::{Batcher, MapState, Setting};
use crate::fault::Fault;

/// How the items of a Map are divided. A batch is made when its iteration begins: all of them at once could be far
/// larger than the items are.
pub(super) struct Batches {
    batch_input: Option<Value>,
    pub(super) ranges: Vec<Range<usize>>,
}

impl<'r> Run<'r> {
    pub(super) fn batches(
        &self,
        map: &MapState,
        batcher: &Batcher,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Batches, Fault> {
        let environment = self.environment(visit, retries, None);
        let number = |setting: &Option<Setting<u64>>, field| count(setting, field, &plan.data, &environment);
        let most_items = number(&batcher.max_items, "MaxItemsPerBatchPath")?.unwrap_or(u64::MAX);
        let most_bytes = number(&batcher.max_bytes, "MaxInputBytesPerBatchPath")?;
        let batch_input = batcher.batch_input.as_ref().map(|input| input.fill(&plan.data, &environment)).transpose()?;
        let frame = batch(batch_input.as_ref(), Vec::new()).to_string().len() as u64;
        let mut ranges = Vec::new();
        let (mut start, mut bytes) = (0, frame);
        let total = plan.items.as_array().map_or(0, Vec::len);
        for index in 0..total {
            // Only a limit of bytes needs to know what the selector makes of an item.
            let length = match most_bytes {
                Some(_) => self.batched_item(map, plan, visit, retries, index)?.to_string().len() as u64 + 1,
                None => 0,
            };
            let full = (index - start) as u64 >= most_items || most_bytes.is_some_and(|most| bytes + length > most);
            if index > start && full {
                ranges.push(start..index);
                (start, bytes) = (index, frame);
            }
            bytes += length;
        }
        if total > start {
            ranges.push(start..total);
        }
        Ok(Batches { batch_input, ranges })
    }

    /// The input of an iteration.
    pub(super) fn batch(
        &self,
        map: &MapState,
        batches: &Batches,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
        index: usize,
    ) -> Result<Value, Fault> {
        let range = batches.ranges.get(index).cloned().unwrap_or_default();
        let mut room = self.payload_room();
        let mut items = Vec::with_capacity(range.len());
        for index in range {
            let item = self.batched_item(map, plan, visit, retries, index)?;
            if !room.take(&item) {
                return Err(Fault::too_large(&visit.state.name));
            }
            items.push(Arc::unwrap_or_clone(item));
        }
        Ok(batch(batches.batch_input.as_ref(), items))
    }

    fn batched_item(
        &self,
        map: &MapState,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
        index: usize,
    ) -> Result<Arc<Value>, Fault> {
        let value = Arc::new(plan.items.get(index).cloned().unwrap_or_default());
        let item = Item { index: index as u64, value: Arc::clone(&value) };
        self.select_item(map, plan, visit, retries, Some(&item), value)
    }
}

fn batch(batch_input: Option<&Value>, items: Vec<Value>) -> Value {
    match batch_input {
        Some(input) => json!({"BatchInput": input, "Items": items}),
        None => json!({"Items": items}),
    }
}
