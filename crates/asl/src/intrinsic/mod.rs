//! Intrinsic functions: `States.Format('{}', $.name)`.
//!
//! An expression is parsed and its functions are looked up when the definition is loaded. Its arguments, and how many
//! there are, are checked when it is evaluated: what the service refuses then ends the execution, and nothing catches it.

mod array;
mod digest;
mod encode;
mod math;
mod not_json;
mod parse;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use crate::context::Environment;
use crate::fault::Fault;
use crate::path::{Miss, Path};
use crate::size::{self, Room};
use crate::template;

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) struct Intrinsic {
    /// As written, for errors.
    text: String,
    call: Call,
}

#[derive(Clone, Debug)]
struct Call {
    /// The function's, for errors.
    name: &'static str,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    Literal(Value),
    Path(Path),
    Call(Call),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

const FUNCTIONS: [(&str, Function); 18] = [
    ("States.Array", Function::Array),
    ("States.ArrayContains", Function::ArrayContains),
    ("States.ArrayGetItem", Function::ArrayGetItem),
    ("States.ArrayLength", Function::ArrayLength),
    ("States.ArrayPartition", Function::ArrayPartition),
    ("States.ArrayRange", Function::ArrayRange),
    ("States.ArrayUnique", Function::ArrayUnique),
    ("States.Base64Decode", Function::Base64Decode),
    ("States.Base64Encode", Function::Base64Encode),
    ("States.Format", Function::Format),
    ("States.Hash", Function::Hash),
    ("States.JsonMerge", Function::JsonMerge),
    ("States.JsonToString", Function::JsonToString),
    ("States.MathAdd", Function::MathAdd),
    ("States.MathRandom", Function::MathRandom),
    ("States.StringSplit", Function::StringSplit),
    ("States.StringToJson", Function::StringToJson),
    ("States.UUID", Function::Uuid),
];

/// Why a function gave no value.
enum Wrong {
    /// An argument's path leads nowhere.
    Missing(String),
    /// The function refuses its arguments.
    Refused(String),
    /// The arguments have more bytes than there is room for.
    TooLarge,
}

impl Intrinsic {
    pub(crate) fn parse(text: &str) -> Result<Intrinsic, String> {
        parse::parse(text).map(|call| Intrinsic { text: text.to_owned(), call })
    }

    pub(crate) fn evaluate(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
        self.call.evaluate(data, environment).map_err(|wrong| match wrong {
            Wrong::Missing(why) => {
                Fault::runtime(format!("The function '{}' had the following error: {why}", self.text))
            }
            Wrong::Refused(why) => Fault::runtime(format!(
                "There was an error while evaluating the intrinsic function: {}. {why}",
                self.text
            )),
            Wrong::TooLarge => Fault::too_large(environment.state),
        })
    }
}

impl Call {
    fn evaluate(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, Wrong> {
        let mut values = Vec::with_capacity(self.arguments.len());
        // No function makes much more of its arguments than they are, but calls within calls would multiply them.
        let mut room = Room::of(size::WORKING_BYTES_MAX);
        for argument in &self.arguments {
            let value = argument.evaluate(data, environment)?;
            if !room.take(&value) {
                return Err(Wrong::TooLarge);
            }
            values.push(value);
        }
        self.apply(&values, environment).map_err(Wrong::Refused)
    }

    /// The function's value, or why there is none, in the service's words.
    fn apply(&self, arguments: &[Cow<'_, Value>], environment: &Environment<'_>) -> Result<Value, String> {
        let (name, function) = (self.name, self.function);
        let value = match (function, arguments) {
            (Function::Array, items) => Some(items.iter().map(|item| Value::clone(item)).collect()),
            (Function::ArrayContains, [array, wanted]) => array::contains(array, wanted),
            (Function::ArrayGetItem, [array, index]) => array::get_item(array, index),
            (Function::ArrayLength, [array]) => array::length(array),
            (Function::ArrayPartition, [array, size]) => array::partition(array, size),
            (Function::ArrayRange, [first, last, step]) => array::range(first, last, step),
            (Function::ArrayUnique, [array]) => array::unique(array),
            (Function::Base64Decode, [text]) => encode::base64_decode(text),
            (Function::Base64Encode, [text]) => encode::base64_encode(text),
            (Function::Format, arguments) => return text::format(name, arguments),
            (Function::Hash, [data, algorithm]) => encode::hash(data, algorithm),
            (Function::JsonMerge, [one, other, deep]) => text::json_merge(one, other, deep),
            (Function::JsonToString, [value]) => Some(Value::String(value.to_string())),
            (Function::JsonToString, _) => {
                return Err(format!("{}: only a single argument is allowed.", invalid_arguments(name)));
            }
            (Function::MathAdd, [one, other]) => math::add(one, other),
            (Function::MathRandom, [start, end]) => math::random(start, end, None, environment.random),
            (Function::MathRandom, [start, end, seed]) => math::random(start, end, Some(seed), environment.random),
            (Function::StringSplit, [text, delimiters]) => text::split(text, delimiters),
            (Function::StringToJson, arguments) => return text::string_to_json(name, arguments),
            // Whatever it is given.
            (Function::Uuid, _) => Some(Value::String(environment.random.uuid())),
            _ => None,
        };
        value.ok_or_else(|| invalid_arguments(name))
    }
}

impl Argument {
    fn evaluate<'v>(&'v self, data: &'v Value, environment: &Environment<'_>) -> Result<Cow<'v, Value>, Wrong> {
        match self {
            Argument::Literal(value) => Ok(Cow::Borrowed(value)),
            Argument::Call(call) => call.evaluate(data, environment).map(Cow::Owned),
            Argument::Path(path) => template::find(path, data, environment).map_err(|miss| match miss {
                Miss::TooLarge => Wrong::TooLarge,
                Miss::NullRoot | Miss::Last { .. } | Miss::Before(_) => Wrong::Missing(format!(
                    "The JsonPath argument for the field '{}' could not be found in the input '{data}'",
                    path.rooted()
                )),
            }),
        }
    }
}

fn invalid_arguments(name: &str) -> String {
    format!("Invalid arguments in {name}")
}

/// The argument as an integer, without its fraction.
fn truncated(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| math::in_range(value.as_f64()?.trunc()))
}

#[cfg(test)]
mod tests;
