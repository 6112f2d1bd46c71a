//! `DescribeInstanceInformation`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Page;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::json::Fields;

/// The maximum number of values in one filter.
const MOST_VALUES: usize = 100;

/// The instances whose agents have reported: all of them, or those that the call names.
pub(super) fn describe(state: &mut State, fields: &mut Fields) -> Result<Value, ServiceError> {
    let mut named: Option<BTreeSet<String>> = None;
    for mut filter in fields.structures("Filters")? {
        let key = filter.required("Key")?;
        let values = filter.strings("Values")?;
        filter.finish()?;
        if key != "InstanceIds" {
            return Err(unsupported(format_args!("the filter {key} of DescribeInstanceInformation")));
        }
        if values.is_empty() || values.len() > MOST_VALUES {
            return Err(refuse(
                "ValidationException",
                format!("a filter has 1 to {MOST_VALUES} values, not {}", values.len()),
            ));
        }
        named = Some(values.into_iter().collect());
    }
    // Systems Manager's default page size is ten.
    let page = Page::read(fields, 5..=50, 10)?;
    fields.finish()?;
    let candidates: Vec<usize> = match &named {
        Some(ids) => ids.iter().filter_map(|id| state.ec2.by_id.get(id).copied()).collect(),
        None => (0..state.ec2.instances.len()).collect(),
    };
    let reported = candidates.into_iter().filter(|index| {
        let instance = &state.ec2.instances[*index];
        instance.agent_online(state.now) || (instance.agent_registered && !instance.state.gone())
    });
    let (page, next) = page.slice(reported);
    let mut list = Vec::with_capacity(page.len());
    for index in page {
        let online = state.ec2.instances[index].agent_online(state.now);
        if online {
            state.record_agent_wait(index);
        }
        list.push(json!({
            "InstanceId": state.ec2.instances[index].id,
            "PingStatus": if online { "Online" } else { "ConnectionLost" },
            "LastPingDateTime": state.epoch_seconds(state.now),
            "AgentVersion": "3.3.1611.0",
            "PlatformType": "Linux",
            "ResourceType": "EC2Instance",
        }));
    }
    let mut answer = json!({"InstanceInformationList": list});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}
