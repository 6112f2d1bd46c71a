//! The events of an execution, as the history of Step Functions has them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::execution::Failure;

/// One entry of an execution's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The event's number. The first event has 1, and there are no gaps.
    pub id: u64,
    /// The id of the event that led to this one. It is 0 for the first event, for the entry of the first state, and for
    /// `ExecutionTimedOut`.
    pub previous: u64,
    /// The time on the execution's clock.
    pub at: Timestamp,
    /// The index of the innermost Map iteration that the event belongs to, if any.
    pub iteration: Option<u64>,
    /// What happened.
    pub kind: EventKind,
}

/// The type of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "these are the eight state types of the language")]
pub enum StateType {
    Choice,
    Fail,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
}

/// The type of an [`Event`], with its details. [`EventKind::name`] is its name in Step Functions.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The execution started. This is the first event.
    ExecutionStarted {
        /// The execution's input.
        input: Arc<Value>,
        /// The role's ARN.
        role: Arc<str>,
    },
    /// The execution succeeded. This is the last event.
    ExecutionSucceeded {
        /// The execution's output.
        output: Arc<Value>,
    },
    /// The execution failed. This is the last event.
    ExecutionFailed(Failure),
    /// The execution ran longer than the state machine's own `TimeoutSeconds`. This is the last event.
    ExecutionTimedOut(Failure),
    /// A state was entered: `TaskStateEntered`, and one such event for each other type.
    StateEntered {
        /// The state's type.
        state_type: StateType,
        /// The state's name.
        name: Arc<str>,
        /// The state's input, before `InputPath`.
        input: Arc<Value>,
    },
    /// A state ended, and a `Catch` handled its error if it had one: `TaskStateExited`, and one such event for each other
    /// type. Fail states have none.
    StateExited {
        /// The state's type.
        state_type: StateType,
        /// The state's name.
        name: Arc<str>,
        /// The state's output.
        output: Arc<Value>,
        /// The variables that the state assigned, if any.
        assigned: Option<Arc<Value>>,
    },
    /// A state was stopped because another branch or iteration failed.
    StateAborted {
        /// The state's type.
        state_type: StateType,
        /// The state's name. The service's event does not have it.
        name: Arc<str>,
    },
    /// An attempt at a Task state began.
    TaskScheduled {
        /// The state's name. The service's event does not have it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// The region in the execution's ARN.
        region: Arc<str>,
        /// The input of the resource.
        parameters: Arc<Value>,
        /// The number of the attempt. The first attempt has 0, and each retry adds 1.
        attempt: u32,
        /// `TimeoutSeconds`, if any.
        timeout_seconds: Option<u64>,
        /// `HeartbeatSeconds`, if any.
        heartbeat_seconds: Option<u64>,
        /// `Credentials`, if any: the role that the resource is called with.
        credentials: Option<Arc<Value>>,
    },
    /// The resource was called.
    TaskStarted {
        /// The state's `Resource`.
        resource: Arc<str>,
    },
    /// The resource accepted the call, and the state waits for the end of the job (`.sync`) or for a callback
    /// (`.waitForTaskToken`).
    TaskSubmitted {
        /// The state's `Resource`.
        resource: Arc<str>,
    },
    /// The attempt succeeded.
    TaskSucceeded {
        /// The state's `Resource`.
        resource: Arc<str>,
        /// The resource's result.
        output: Arc<Value>,
    },
    /// The attempt failed.
    TaskFailed {
        /// The state's name. The service's event does not have it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// The error.
        failure: Failure,
    },
    /// The attempt ran longer than `TimeoutSeconds`, or sent no heartbeat for `HeartbeatSeconds`.
    TaskTimedOut {
        /// The state's name. The service's event does not have it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// The error, which is `States.Timeout` in both cases.
        failure: Failure,
    },
    /// A Map state started its iterations.
    MapStateStarted {
        /// The number of iterations.
        length: u64,
    },
    /// All iterations ended, and no more of them failed than the Map tolerates.
    MapStateSucceeded,
    /// More iterations failed than the Map tolerates.
    MapStateFailed(Failure),
    /// An iteration started.
    MapIterationStarted {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// An iteration succeeded.
    MapIterationSucceeded {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// An iteration failed.
    MapIterationFailed {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// An iteration was stopped because too many other iterations failed.
    MapIterationAborted {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// A Parallel state started its branches.
    ParallelStateStarted,
    /// All branches succeeded.
    ParallelStateSucceeded,
    /// A branch failed.
    ParallelStateFailed(Failure),
}

impl StateType {
    /// The type's name in the language.
    pub fn name(self) -> &'static str {
        match self {
            StateType::Choice => "Choice",
            StateType::Fail => "Fail",
            StateType::Map => "Map",
            StateType::Parallel => "Parallel",
            StateType::Pass => "Pass",
            StateType::Succeed => "Succeed",
            StateType::Task => "Task",
            StateType::Wait => "Wait",
        }
    }
}

impl EventKind {
    /// The event's name in Step Functions. The events of Lambda functions and of activities have their own names.
    pub fn name(&self) -> String {
        let task_event = |resource: &str, what: &str| format!("{}{what}", TaskEvents::of(resource).prefix());
        match self {
            EventKind::ExecutionStarted { .. } => "ExecutionStarted".to_owned(),
            EventKind::ExecutionSucceeded { .. } => "ExecutionSucceeded".to_owned(),
            EventKind::ExecutionFailed(_) => "ExecutionFailed".to_owned(),
            EventKind::ExecutionTimedOut(_) => "ExecutionTimedOut".to_owned(),
            EventKind::StateEntered { state_type, .. } => format!("{}StateEntered", state_type.name()),
            EventKind::StateExited { state_type, .. } => format!("{}StateExited", state_type.name()),
            EventKind::StateAborted { state_type, .. } => format!("{}StateAborted", state_type.name()),
            EventKind::TaskScheduled { resource, .. } => task_event(resource, "Scheduled"),
            EventKind::TaskStarted { resource } => task_event(resource, "Started"),
            EventKind::TaskSubmitted { resource } => task_event(resource, "Submitted"),
            EventKind::TaskSucceeded { resource, .. } => task_event(resource, "Succeeded"),
            EventKind::TaskFailed { resource, .. } => task_event(resource, "Failed"),
            EventKind::TaskTimedOut { resource, .. } => task_event(resource, "TimedOut"),
            EventKind::MapStateStarted { .. } => "MapStateStarted".to_owned(),
            EventKind::MapStateSucceeded => "MapStateSucceeded".to_owned(),
            EventKind::MapStateFailed(_) => "MapStateFailed".to_owned(),
            EventKind::MapIterationStarted { .. } => "MapIterationStarted".to_owned(),
            EventKind::MapIterationSucceeded { .. } => "MapIterationSucceeded".to_owned(),
            EventKind::MapIterationFailed { .. } => "MapIterationFailed".to_owned(),
            EventKind::MapIterationAborted { .. } => "MapIterationAborted".to_owned(),
            EventKind::ParallelStateStarted => "ParallelStateStarted".to_owned(),
            EventKind::ParallelStateSucceeded => "ParallelStateSucceeded".to_owned(),
            EventKind::ParallelStateFailed(_) => "ParallelStateFailed".to_owned(),
        }
    }
}

/// The family of events that a task has. Its resource decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskEvents {
    Activity,
    Integration,
    Lambda,
}

impl TaskEvents {
    pub(crate) fn of(resource: &str) -> TaskEvents {
        let mut parts = resource.split(':').skip(2);
        match (parts.next(), parts.nth(2)) {
            (Some("states"), Some("activity")) => TaskEvents::Activity,
            (Some("states"), _) => TaskEvents::Integration,
            _ => TaskEvents::Lambda,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            TaskEvents::Activity => "Activity",
            TaskEvents::Integration => "Task",
            TaskEvents::Lambda => "LambdaFunction",
        }
    }

    /// Whether the task goes on after the resource accepts the call.
    pub(crate) fn waits_for_end(self, resource: &str) -> bool {
        self == TaskEvents::Integration
            && [".sync", ".sync:2", ".waitForTaskToken"].iter().any(|suffix| resource.ends_with(suffix))
    }

    /// The service and the API call of an integration: `lambda` and `invoke` of `arn:aws:states:::lambda:invoke`. For any
    /// other resource, both are the whole resource.
    pub(crate) fn split(self, resource: &str) -> (&str, &str) {
        let Some((_, api)) = resource.split_once(":::").filter(|_| self == TaskEvents::Integration) else {
            return (resource, resource);
        };
        let version = if api.ends_with(".sync:2") { ":2".len() } else { 0 };
        let unversioned = api.get(..api.len() - version).unwrap_or(api);
        match unversioned.rfind(':') {
            Some(at) => (api.get(..at).unwrap_or(api), api.get(at + 1..).unwrap_or(api)),
            None => (api, api),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_decides_the_family_of_events() {
        let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
        assert_eq!(TaskEvents::of(function), TaskEvents::Lambda);
        assert_eq!(TaskEvents::of("arn:aws:states:us-east-1:123456789012:activity:a"), TaskEvents::Activity);
        let integrations = [
            ("arn:aws:states:::lambda:invoke", ("lambda", "invoke"), false),
            ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", ("sqs", "sendMessage.waitForTaskToken"), true),
            ("arn:aws:states:::states:startExecution.sync:2", ("states", "startExecution.sync:2"), true),
            ("arn:aws:states:::aws-sdk:ec2:describeInstances", ("aws-sdk:ec2", "describeInstances"), false),
        ];
        for (resource, parts, waits) in integrations {
            let events = TaskEvents::of(resource);
            assert_eq!((events, events.split(resource)), (TaskEvents::Integration, parts));
            assert_eq!(events.waits_for_end(resource), waits, "{resource}");
        }
    }
}
