//! The states of a loaded definition.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::choice::Choice;
use crate::event::StateType;
use crate::path::{Path, Root, Step};
use crate::retry::{Catcher, Retrier};
use crate::template::{Expression, Template};

/// The whole state machine, a branch of a Parallel state, or the item processor of a Map state.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) comment: Option<String>,
    /// `None` in a branch or an item processor.
    pub(crate) timeout_seconds: Option<u64>,
    /// The index of the first state in `states`.
    pub(crate) start: usize,
    pub(crate) states: Vec<State>,
}

/// A state, with the fields that several state types share.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) input_path: Select,
    pub(crate) output_path: Select,
    pub(crate) assign: Option<Template>,
    /// The index of the next state. `None` if the state ends the machine, and in a Choice, whose rules name the next one.
    pub(crate) next: Option<usize>,
    pub(crate) kind: Kind,
}

/// The type of a state, with the fields of that type.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Choice(Choice),
    Fail { error: Text, cause: Text },
    Map(Box<MapState>),
    Parallel(Box<Parallel>),
    Pass(Box<Pass>),
    Succeed,
    Task(Box<TaskKind>),
    Wait(WaitUntil),
}

impl Kind {
    /// Whether time can pass in the state.
    pub(crate) fn takes_time(&self) -> bool {
        self.can_be_retried() || matches!(self, Kind::Wait(_))
    }

    pub(crate) fn can_be_retried(&self) -> bool {
        matches!(self, Kind::Map(_) | Kind::Parallel(_) | Kind::Task(_))
    }

    pub(crate) fn state_type(&self) -> StateType {
        match self {
            Kind::Choice(_) => StateType::Choice,
            Kind::Fail { .. } => StateType::Fail,
            Kind::Map(_) => StateType::Map,
            Kind::Parallel(_) => StateType::Parallel,
            Kind::Pass(_) => StateType::Pass,
            Kind::Succeed => StateType::Succeed,
            Kind::Task(_) => StateType::Task,
            Kind::Wait(_) => StateType::Wait,
        }
    }
}

/// `InputPath` and `OutputPath`.
#[derive(Clone, Debug)]
pub(crate) enum Select {
    /// `$`, or no path.
    All,
    /// `null`: an empty object.
    Nothing,
    Path(Path),
}

impl Select {
    /// Whether the selected value is a part of the data, and so not larger than the data.
    pub(crate) fn is_within_data(&self) -> bool {
        match self {
            Select::All | Select::Nothing => true,
            Select::Path(path) => path.root == Root::Data && path.is_definite(),
        }
    }
}

/// `ResultPath`.
#[derive(Clone, Debug)]
pub(crate) enum ResultPath {
    /// `$`, or no path: the result replaces the input.
    Replace,
    /// `null`: the input stays, and the result is discarded.
    Discard,
    /// The result is written into the input at this path.
    At(Vec<Step>),
}

/// A value in the definition, or the path of a value.
#[derive(Clone, Debug)]
pub(crate) enum Setting<T> {
    Fixed(T),
    Path(Path),
}

/// `Error` and `Cause` of a Fail state.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    None,
    Literal(String),
    Expression(Expression),
}

#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) parameters: Option<Template>,
    pub(crate) result: Option<Arc<Value>>,
    pub(crate) result_path: ResultPath,
}

#[derive(Clone, Debug)]
pub(crate) enum WaitUntil {
    Seconds(u64),
    SecondsPath(Path),
    Timestamp(Timestamp),
    TimestampPath(Path),
}

/// How a Task, Parallel or Map state handles its result and its errors.
#[derive(Clone, Debug)]
pub(crate) struct Handling {
    pub(crate) result_selector: Option<Template>,
    pub(crate) result_path: ResultPath,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

#[derive(Clone, Debug)]
pub(crate) struct TaskKind {
    pub(crate) resource: Arc<str>,
    pub(crate) parameters: Option<Template>,
    /// `parameters` as the definition has them, for [`crate::TaskState`].
    pub(crate) parameters_as_written: Option<Value>,
    pub(crate) credentials: Option<Template>,
    pub(crate) timeout: Option<Setting<u64>>,
    pub(crate) heartbeat: Option<Setting<u64>>,
    pub(crate) handling: Handling,
}

#[derive(Clone, Debug)]
pub(crate) struct Parallel {
    pub(crate) parameters: Option<Template>,
    pub(crate) branches: Vec<Machine>,
    pub(crate) handling: Handling,
}

#[derive(Clone, Debug)]
pub(crate) struct MapState {
    pub(crate) items_path: Option<Path>,
    /// `ItemSelector`, or `Parameters` in older definitions.
    pub(crate) item_selector: Option<Template>,
    pub(crate) batcher: Option<Batcher>,
    pub(crate) max_concurrency: Option<Setting<u64>>,
    pub(crate) tolerated_count: Option<Setting<u64>>,
    pub(crate) tolerated_percentage: Option<Setting<f64>>,
    pub(crate) processor: Machine,
    pub(crate) handling: Handling,
}

/// `ItemBatcher`.
#[derive(Clone, Debug)]
pub(crate) struct Batcher {
    pub(crate) max_items: Option<Setting<u64>>,
    pub(crate) max_bytes: Option<Setting<u64>>,
    pub(crate) batch_input: Option<Template>,
}
