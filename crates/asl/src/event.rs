//! What happened, in order: the events of an execution, as the service's history has them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::outcome::Failure;

/// One entry of an execution's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Counts from 1, without gaps.
    pub id: u64,
    /// The event that led to this one; 0 for the first of all and for the first state's entry.
    pub previous: u64,
    /// When, on the execution's clock.
    pub at: Timestamp,
    /// The index of the innermost Map iteration that it belongs to, if any.
    pub iteration: Option<u64>,
    /// What happened.
    pub kind: EventKind,
}

/// The type of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "these are the language's own eight words")]
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

/// What an [`Event`] says. [`EventKind::name`] is the service's word for it.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The first event.
    ExecutionStarted {
        /// The execution's input.
        input: Arc<Value>,
        /// The role's ARN.
        role: Arc<str>,
    },
    /// The last event of an execution that went well.
    ExecutionSucceeded {
        /// The execution's output.
        output: Arc<Value>,
    },
    /// The last event of one that did not.
    ExecutionFailed(Failure),
    /// The last event of one that ran longer than the machine's own `TimeoutSeconds`.
    ExecutionTimedOut(Failure),
    /// A state was entered: `TaskStateEntered` and its seven siblings.
    StateEntered {
        /// Which of the eight.
        state_type: StateType,
        /// The state's name.
        name: Arc<str>,
        /// Its raw input.
        input: Arc<Value>,
    },
    /// A state was left, with or without a `Catch`: `TaskStateExited` and its siblings. Fail states have none.
    StateExited {
        /// Which of the eight.
        state_type: StateType,
        /// The state's name.
        name: Arc<str>,
        /// Its output.
        output: Arc<Value>,
        /// The variables that it assigned.
        assigned: Option<Arc<Value>>,
    },
    /// A state was stopped, because a sibling branch failed.
    StateAborted {
        /// Which of the eight.
        state_type: StateType,
        /// The state's name. The service does not tell it.
        name: Arc<str>,
    },
    /// One attempt at a Task state begins.
    TaskScheduled {
        /// The state's name. The service does not tell it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// The region that the execution's ARN names.
        region: Arc<str>,
        /// What the resource is given.
        parameters: Arc<Value>,
        /// The attempt, counted from 0.
        attempt: u32,
        /// `TimeoutSeconds`, if any.
        timeout_seconds: Option<u64>,
        /// `HeartbeatSeconds`, if any.
        heartbeat_seconds: Option<u64>,
        /// `Credentials`, if any: the role in whose name the resource is called.
        credentials: Option<Arc<Value>>,
    },
    /// The resource was called.
    TaskStarted {
        /// The state's `Resource`.
        resource: Arc<str>,
    },
    /// The resource took the call, and its end is waited for (`.sync`, `.waitForTaskToken`).
    TaskSubmitted {
        /// The state's `Resource`.
        resource: Arc<str>,
    },
    /// The attempt succeeded.
    TaskSucceeded {
        /// The state's `Resource`.
        resource: Arc<str>,
        /// What the resource answered.
        output: Arc<Value>,
    },
    /// The attempt failed.
    TaskFailed {
        /// The state's name. The service does not tell it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// Why.
        failure: Failure,
    },
    /// The attempt ran longer than `TimeoutSeconds`, or sent no heartbeat for `HeartbeatSeconds`.
    TaskTimedOut {
        /// The state's name. The service does not tell it.
        name: Arc<str>,
        /// The state's `Resource`.
        resource: Arc<str>,
        /// `States.Timeout` or `States.HeartbeatTimeout`.
        failure: Failure,
    },
    /// A Map state begins its iterations.
    MapStateStarted {
        /// How many there are.
        length: u64,
    },
    /// All iterations succeeded, or enough of them.
    MapStateSucceeded,
    /// Too many iterations failed.
    MapStateFailed(Failure),
    /// An iteration began.
    MapIterationStarted {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// An iteration ended well.
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
    /// An iteration was stopped, because too many of its siblings failed.
    MapIterationAborted {
        /// The Map state's name.
        name: Arc<str>,
        /// The iteration's index.
        index: u64,
    },
    /// A Parallel state begins its branches.
    ParallelStateStarted,
    /// All branches succeeded.
    ParallelStateSucceeded,
    /// A branch failed.
    ParallelStateFailed(Failure),
}

impl StateType {
    /// The language's word for it.
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
    /// The service's name for the event. Tasks that are a Lambda function or an activity have names of their own.
    pub fn name(&self) -> String {
        let of_task = |resource: &str, what: &str| format!("{}{what}", TaskEvents::of(resource).prefix());
        match self {
            EventKind::ExecutionStarted { .. } => "ExecutionStarted".to_owned(),
            EventKind::ExecutionSucceeded { .. } => "ExecutionSucceeded".to_owned(),
            EventKind::ExecutionFailed(_) => "ExecutionFailed".to_owned(),
            EventKind::ExecutionTimedOut(_) => "ExecutionTimedOut".to_owned(),
            EventKind::StateEntered { state_type, .. } => format!("{}StateEntered", state_type.name()),
            EventKind::StateExited { state_type, .. } => format!("{}StateExited", state_type.name()),
            EventKind::StateAborted { state_type, .. } => format!("{}StateAborted", state_type.name()),
            EventKind::TaskScheduled { resource, .. } => of_task(resource, "Scheduled"),
            EventKind::TaskStarted { resource } => of_task(resource, "Started"),
            EventKind::TaskSubmitted { resource } => of_task(resource, "Submitted"),
            EventKind::TaskSucceeded { resource, .. } => of_task(resource, "Succeeded"),
            EventKind::TaskFailed { resource, .. } => of_task(resource, "Failed"),
            EventKind::TaskTimedOut { resource, .. } => of_task(resource, "TimedOut"),
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

/// Which family of events a task has, which its resource decides.
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

    /// Whether the resource's answer to the call is not yet the task's result.
    pub(crate) fn waits_for_end(self, resource: &str) -> bool {
        self == TaskEvents::Integration
            && [".sync", ".sync:2", ".waitForTaskToken"].iter().any(|suffix| resource.ends_with(suffix))
    }

    /// `lambda` and `invoke` of `arn:aws:states:::lambda:invoke`; the whole resource, twice, of any other.
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
    fn resources_decide_the_family_of_events() {
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
