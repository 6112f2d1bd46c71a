//! `ItemBatcher`: several items to an iteration.

use std::sync::Arc;

use serde_json::{Value, json};

use super::map::Plan;
use super::settings::count;
use super::{Run, Visit};
use crate::context::Item;
use crate::definition::{Batcher, MapState, Setting};
use crate::fault::Fault;

impl<'r> Run<'r> {
    /// The inputs of the iterations, several items to each.
    pub(super) fn batches(
        &self,
        map: &MapState,
        batcher: &Batcher,
        plan: &Plan,
        visit: &Visit<'_, 'r>,
        retries: u32,
    ) -> Result<Vec<Value>, Fault> {
        let environment = self.environment(visit, retries, None);
        let number = |setting: &Option<Setting<u64>>, field| count(setting, field, &plan.data, &environment);
        let most_items = number(&batcher.max_items, "MaxItemsPerBatchPath")?.unwrap_or(u64::MAX);
        let most_bytes = number(&batcher.max_bytes, "MaxInputBytesPerBatchPath")?.unwrap_or(u64::MAX);
        let batch_input = batcher.batch_input.as_ref().map(|input| input.fill(&plan.data, &environment)).transpose()?;
        let frame = batch(batch_input.as_ref(), Vec::new()).to_string().len() as u64;
        let mut batches = Vec::new();
        let (mut items, mut bytes) = (Vec::new(), frame);
        for (index, value) in plan.items.as_array().into_iter().flatten().enumerate() {
            let item = Item { index: index as u64, value: Arc::new(value.clone()) };
            let value = self.select_item(map, plan, visit, retries, Some(&item), Arc::clone(&item.value))?;
            let length = value.to_string().len() as u64 + 1;
            if !items.is_empty() && (items.len() as u64 >= most_items || bytes + length > most_bytes) {
                batches.push(batch(batch_input.as_ref(), std::mem::take(&mut items)));
                bytes = frame;
            }
            bytes += length;
            items.push(Arc::unwrap_or_clone(value));
        }
        if !items.is_empty() {
            batches.push(batch(batch_input.as_ref(), items));
        }
        Ok(batches)
    }
}

fn batch(batch_input: Option<&Value>, items: Vec<Value>) -> Value {
    match batch_input {
        Some(input) => json!({"BatchInput": input, "Items": items}),
        None => json!({"Items": items}),
    }
}
