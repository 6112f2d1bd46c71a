//! Loads Map states.

use serde_json::Value;

use super::Loader;
use super::fields::Fields;
use super::machine::Targets;
use super::states::SECONDS_MAX;
use crate::definition::{Batcher, Machine, MapState, Setting};

/// Fields that only a distributed Map has.
const DISTRIBUTED_FIELDS: [&str; 3] = ["ItemReader", "ResultWriter", "Label"];

impl Loader {
    pub(super) fn map(&self, fields: &mut Fields<'_>, targets: &Targets<'_>) -> Option<MapState> {
        for key in DISTRIBUTED_FIELDS {
            if fields.get(key).is_some() {
                fields.defect(
                    key,
                    format!("'{key}' belongs to a distributed Map, which is not supported: use an inline Map"),
                );
            }
        }
        fields.at_most_one_of(&["ItemSelector", "Parameters"]);
        let item_selector = fields.template("ItemSelector");
        let item_selector = item_selector.or(fields.template("Parameters"));
        let items_path = fields.reference_path("ItemsPath");
        let batcher = fields.object("ItemBatcher").map(batcher);
        let max_concurrency = fields.map_setting("MaxConcurrency", "MaxConcurrencyPath", 0..=u64::MAX);
        let tolerated_count = fields.map_setting("ToleratedFailureCount", "ToleratedFailureCountPath", 0..=u64::MAX);
        fields.at_most_one_of(&["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"]);
        let percentage = fields.number("ToleratedFailurePercentage", 0.0..=100.0).map(Setting::Fixed);
        let percentage_path = fields.map_path("ToleratedFailurePercentagePath").map(Setting::Path);
        let processor = self.processor(fields);
        let handling = self.handling(fields, targets);
        Some(MapState {
            items_path,
            item_selector,
            batcher,
            max_concurrency,
            tolerated_count,
            tolerated_percentage: percentage.or(percentage_path),
            processor: processor?,
            handling,
        })
    }

    /// `ItemProcessor`, or `Iterator` in older definitions.
    fn processor(&self, fields: &mut Fields<'_>) -> Option<Machine> {
        fields.exactly_one_of(&["ItemProcessor", "Iterator"]);
        let older = fields.get("Iterator");
        let mut inner = match fields.object("ItemProcessor") {
            Some(inner) => inner,
            None => Fields::of(self, older?, fields.place_of("Iterator"))?,
        };
        // The service accepts a `ProcessorConfig` in an `Iterator` too.
        if let Some(config) = inner.object("ProcessorConfig")
            && is_distributed(config)
        {
            return None;
        }
        let machine = self.machine(&mut inner);
        inner.finish();
        machine
    }
}

/// Adds a defect for any `ProcessorConfig` other than that of an inline Map. Returns whether the Map is distributed.
fn is_distributed(mut config: Fields<'_>) -> bool {
    let mode = config.text("Mode");
    let distributed = mode == Some("DISTRIBUTED");
    match mode {
        Some("DISTRIBUTED") => config.defect("Mode", "A distributed Map is not supported: use an inline Map"),
        Some("INLINE") | None => {}
        Some(other) => config.defect("Mode", format!("Unknown mode '{other}'")),
    }
    if distributed {
        config.get("ExecutionType");
    }
    config.finish();
    distributed
}

fn batcher(mut fields: Fields<'_>) -> Batcher {
    let max_items = fields.map_setting("MaxItemsPerBatch", "MaxItemsPerBatchPath", 1..=SECONDS_MAX);
    let max_bytes = fields.map_setting("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", 1..=262_144);
    if max_items.is_none()
        && max_bytes.is_none()
        && !fields.has("MaxItemsPerBatch")
        && !fields.has("MaxInputBytesPerBatch")
    {
        fields.defect_here("One of these fields is required: [MaxItemsPerBatch, MaxItemsPerBatchPath, MaxInputBytesPerBatch, MaxInputBytesPerBatchPath]");
    }
    if fields.get("BatchInput").is_some_and(|input: &Value| !input.is_object()) {
        fields.defect("BatchInput", "Expected value of type Object");
    }
    let batch_input = fields.template("BatchInput");
    fields.finish();
    Batcher { max_items, max_bytes, batch_input }
}
