//! Events in the format of `GetExecutionHistory`.

use serde_json::{Map, Value, json};

use crate::context::timestamp;
use crate::event::{Event, EventKind, TaskEvents};
use crate::execution::Failure;

/// The response of `GetExecutionHistory` for these events. Payloads are JSON in strings, as in that response.
pub fn export(events: &[Event]) -> Value {
    json!({"events": events.iter().map(event).collect::<Vec<_>>()})
}

/// One event in the same format.
pub fn event(event: &Event) -> Value {
    let kind = event.kind.name();
    let mut exported = Map::new();
    exported.insert("id".to_owned(), event.id.into());
    exported.insert("previousEventId".to_owned(), event.previous.into());
    exported.insert("timestamp".to_owned(), timestamp(event.at).into());
    if let Some(details) = details(&event.kind) {
        exported.insert(details_name(&event.kind, &kind), details);
    }
    exported.insert("type".to_owned(), kind.into());
    Value::Object(exported)
}

fn details_name(kind: &EventKind, name: &str) -> String {
    let stem = match kind {
        EventKind::StateEntered { .. } => "stateEntered".to_owned(),
        EventKind::StateExited { .. } => "stateExited".to_owned(),
        _ => {
            let (first, rest) = name.split_at(1);
            format!("{}{rest}", first.to_ascii_lowercase())
        }
    };
    format!("{stem}EventDetails")
}

fn details(kind: &EventKind) -> Option<Value> {
    Some(match kind {
        EventKind::ExecutionStarted { input, role } => {
            json!({"input": input.to_string(), "inputDetails": {"truncated": false}, "roleArn": **role})
        }
        EventKind::ExecutionSucceeded { output } => with_output(json!({}), output),
        EventKind::ExecutionFailed(failure) | EventKind::ExecutionTimedOut(failure) => with_failure(json!({}), failure),
        EventKind::StateEntered { name, input, .. } => {
            json!({"input": input.to_string(), "inputDetails": {"truncated": false}, "name": **name})
        }
        EventKind::StateExited { name, output, assigned, .. } => {
            let mut exited = with_output(json!({"name": **name}), output);
            if let Some(assigned) = assigned {
                let texts = assigned.as_object().into_iter().flatten();
                let texts: Map<String, Value> =
                    texts.map(|(name, value)| (name.clone(), value.to_string().into())).collect();
                exited["assignedVariables"] = Value::Object(texts);
                exited["assignedVariablesDetails"] = json!({"truncated": false});
            }
            exited
        }
        EventKind::TaskScheduled {
            resource,
            region,
            parameters,
            timeout_seconds,
            heartbeat_seconds,
            credentials,
            ..
        } => {
            let mut scheduled = resource_fields(resource);
            match TaskEvents::of(resource) {
                TaskEvents::Integration => {
                    scheduled["parameters"] = parameters.to_string().into();
                    scheduled["region"] = (**region).into();
                }
                TaskEvents::Activity | TaskEvents::Lambda => {
                    // The events of these two families have no `resourceType`.
                    scheduled = json!({"resource": **resource});
                    scheduled["input"] = parameters.to_string().into();
                    scheduled["inputDetails"] = json!({"truncated": false});
                }
            }
            for (key, seconds) in [("timeoutInSeconds", timeout_seconds), ("heartbeatInSeconds", heartbeat_seconds)] {
                if let Some(seconds) = seconds {
                    scheduled[key] = (*seconds).into();
                }
            }
            if let Some(role) = credentials.as_ref().and_then(|credentials| credentials.get("RoleArn")) {
                scheduled["taskCredentials"] = json!({"roleArn": role});
            }
            scheduled
        }
        EventKind::TaskStarted { resource } | EventKind::TaskSubmitted { resource } => {
            return (TaskEvents::of(resource) == TaskEvents::Integration).then(|| resource_fields(resource));
        }
        EventKind::TaskSucceeded { resource, output } => with_output(resource_fields(resource), output),
        EventKind::TaskFailed { resource, failure, .. } | EventKind::TaskTimedOut { resource, failure, .. } => {
            with_failure(resource_fields(resource), failure)
        }
        EventKind::MapStateStarted { length } => json!({"length": length}),
        EventKind::MapIterationStarted { name, index }
        | EventKind::MapIterationSucceeded { name, index }
        | EventKind::MapIterationFailed { name, index }
        | EventKind::MapIterationAborted { name, index } => json!({"index": index, "name": **name}),
        EventKind::MapStateFailed(_)
        | EventKind::MapStateSucceeded
        | EventKind::ParallelStateFailed(_)
        | EventKind::ParallelStateStarted
        | EventKind::ParallelStateSucceeded
        | EventKind::StateAborted { .. } => return None,
    })
}

/// The fields that the events of service integrations begin with. The events of functions and activities have none.
fn resource_fields(resource: &str) -> Value {
    let events = TaskEvents::of(resource);
    match events {
        TaskEvents::Integration => {
            let (resource_type, resource) = events.split(resource);
            json!({"resource": resource, "resourceType": resource_type})
        }
        TaskEvents::Activity | TaskEvents::Lambda => json!({}),
    }
}

fn with_output(mut details: Value, output: &Value) -> Value {
    details["output"] = output.to_string().into();
    details["outputDetails"] = json!({"truncated": false});
    details
}

fn with_failure(mut details: Value, failure: &Failure) -> Value {
    for (key, text) in [("error", &failure.error), ("cause", &failure.cause)] {
        if !text.is_empty() {
            details[key] = text.as_str().into();
        }
    }
    details
}
