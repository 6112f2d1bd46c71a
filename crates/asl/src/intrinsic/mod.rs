//! Intrinsic functions: `States.Format('{}', $.name)`.
//!
//! An expression is parsed and its functions and their number of arguments are checked when the definition is
//! loaded. What the arguments turn out to be is checked when it is evaluated.

mod array;
mod digest;
mod encode;
mod math;
mod parse;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use crate::context::Environment;
use crate::fault::{Fault, names};
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

/// Name, function, fewest and most arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 18] = [
    ("States.Array", Function::Array, 0, usize::MAX),
    ("States.ArrayContains", Function::ArrayContains, 2, 2),
    ("States.ArrayGetItem", Function::ArrayGetItem, 2, 2),
    ("States.ArrayLength", Function::ArrayLength, 1, 1),
    ("States.ArrayPartition", Function::ArrayPartition, 2, 2),
    ("States.ArrayRange", Function::ArrayRange, 3, 3),
    ("States.ArrayUnique", Function::ArrayUnique, 1, 1),
    ("States.Base64Decode", Function::Base64Decode, 1, 1),
    ("States.Base64Encode", Function::Base64Encode, 1, 1),
    ("States.Format", Function::Format, 1, usize::MAX),
    ("States.Hash", Function::Hash, 2, 2),
    ("States.JsonMerge", Function::JsonMerge, 3, 3),
    ("States.JsonToString", Function::JsonToString, 1, 1),
    ("States.MathAdd", Function::MathAdd, 2, 2),
    ("States.MathRandom", Function::MathRandom, 2, 3),
    ("States.StringSplit", Function::StringSplit, 2, 2),
    ("States.StringToJson", Function::StringToJson, 1, 1),
    ("States.UUID", Function::Uuid, 0, 0),
];

/// Why a function gave no value.
enum Wrong {
    /// An argument's path leads nowhere, which the service does not let anyone catch.
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
        self.call.evaluate(data, environment).map_err(|wrong| {
            let (error, why) = match wrong {
                Wrong::Missing(why) => (names::RUNTIME, why),
                Wrong::Refused(why) => (names::INTRINSIC_FAILURE, why),
                Wrong::TooLarge => return Fault::too_large(environment.state),
            };
            Fault::new(error, format!("The function '{}' had the following error: {why}", self.text))
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
        apply(self.function, &values, environment).map_err(Wrong::Refused)
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

/// The arity was checked when the expression was parsed, so that the patterns below are the only ones there are.
fn apply(function: Function, arguments: &[Cow<'_, Value>], environment: &Environment<'_>) -> Result<Value, String> {
    match (function, arguments) {
        (Function::Array, items) => Ok(Value::Array(items.iter().map(|item| Value::clone(item)).collect())),
        (Function::ArrayContains, [array, wanted]) => array::contains(array, wanted),
        (Function::ArrayGetItem, [array, index]) => array::get_item(array, index),
        (Function::ArrayLength, [array]) => array::length(array),
        (Function::ArrayPartition, [array, size]) => array::partition(array, size),
        (Function::ArrayRange, [first, last, step]) => array::range(first, last, step),
        (Function::ArrayUnique, [array]) => array::unique(array),
        (Function::Base64Decode, [text]) => encode::base64_decode(text),
        (Function::Base64Encode, [text]) => encode::base64_encode(text),
        (Function::Format, [template, rest @ ..]) => text::format(template, rest),
        (Function::Hash, [data, algorithm]) => encode::hash(data, algorithm),
        (Function::JsonMerge, [one, other, deep]) => text::json_merge(one, other, deep),
        (Function::JsonToString, [value]) => Ok(Value::String(value.to_string())),
        (Function::MathAdd, [one, other]) => math::add(one, other),
        (Function::MathRandom, [start, end]) => math::random(start, end, None, environment.random),
        (Function::MathRandom, [start, end, seed]) => math::random(start, end, Some(seed), environment.random),
        (Function::StringSplit, [text, delimiters]) => text::split(text, delimiters),
        (Function::StringToJson, [text]) => text::string_to_json(text),
        (Function::Uuid, []) => Ok(Value::String(environment.random.uuid())),
        (function, arguments) => Err(format!("{function:?} does not take {} arguments", arguments.len())),
    }
}

/// The argument as an array, or the complaint that it is none.
fn array_argument(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("Expected an array but got '{value}'"))
}

fn text_argument(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("Expected a string but got '{value}'"))
}

/// The argument as an integer. The service rounds, halves up: -1.5 is -1.
fn integer_argument(value: &Value) -> Result<i64, String> {
    match (value.as_i64(), value.as_f64()) {
        (Some(integer), _) => Ok(integer),
        // The bounds are those of i64; a float beyond them is no integer argument of anything.
        (None, Some(number)) if number.abs() < 9.2e18 => Ok((number + 0.5).floor() as i64),
        _ => Err(format!("Expected an integer but got '{value}'")),
    }
}

#[cfg(test)]
mod tests;
