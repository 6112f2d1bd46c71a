//! Intrinsic functions: `States.Format('{}', $.name)`.
//!
//! Loading a definition parses each expression and finds its functions. Evaluating an expression checks the arguments
//! and their number. An error then is a `States.Runtime`, which ends the execution: no `Catch` matches it.

mod array;
mod digest;
mod encode;
mod jackson;
mod math;
mod parse;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use crate::context::Environment;
use crate::error::EngineError;
use crate::path::{InvalidPath, Miss, Path};
use crate::size::{self, ByteBudget};
use crate::template;

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) struct Intrinsic {
    /// The expression as the definition has it, for errors.
    text: String,
    call: Call,
}

#[derive(Clone, Debug)]
struct Call {
    /// The function's name, for errors.
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

/// Why a text is not an intrinsic function call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidCall {
    #[error("'{0}' is not a function call")]
    NotACall(String),
    #[error("there is no function '{0}'")]
    UnknownFunction(String),
    #[error("function calls are nested more than {max} deep", max = parse::NESTING_MAX)]
    NestedTooDeep,
    #[error("a ',' or ')' is missing between arguments")]
    MissingSeparator,
    #[error("'{0}' is not an argument: expected a path, a function, a number or a string in single quotes")]
    NotAnArgument(String),
    #[error("'\\{0}' is not an escape sequence: a string can have \\', \\{{, \\}} and \\\\")]
    UnknownEscape(char),
    #[error("a string has no closing single quote")]
    UnclosedString,
    #[error("unexpected '{0}' after the function call")]
    TextAfterCall(String),
    #[error(transparent)]
    Path(#[from] InvalidPath),
}

/// Why a function does not accept its arguments. The texts are the service's own, as far as recorded executions show
/// them.
#[derive(Debug, thiserror::Error)]
enum ArgumentError {
    #[error("Invalid arguments in {0}")]
    Invalid(&'static str),
    #[error("Invalid arguments in {0}: only a single argument is allowed.")]
    NotOne(&'static str),
    #[error("Invalid arguments in {0}: number of arguments do not match the occurrences of {{}}.")]
    PlaceholderCount(&'static str),
    #[error("Invalid template in {name}: matching '{missing}' not found for '{brace}'.")]
    UnmatchedBrace { name: &'static str, missing: char, brace: char },
    #[error("Cannot convert String to Json in {name}, caused by: {cause}")]
    NotJson { name: &'static str, cause: String },
}

/// Why an expression has no value.
enum EvaluateError {
    /// The path of an argument finds nothing in the data.
    NotFound { path: String, data: String },
    /// A function does not accept its arguments.
    Arguments(ArgumentError),
    /// The arguments of a call are larger than [`size::WORKING_BYTES_MAX`].
    TooLarge,
}

impl Intrinsic {
    pub(crate) fn parse(text: &str) -> Result<Intrinsic, InvalidCall> {
        parse::parse(text).map(|call| Intrinsic { text: text.to_owned(), call })
    }

    pub(crate) fn evaluate(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, EngineError> {
        self.call.evaluate(data, environment).map_err(|error| match error {
            EvaluateError::NotFound { path, data } => EngineError::runtime(format!(
                "The function '{}' had the following error: The JsonPath argument for the field '{path}' could not be \
                 found in the input '{data}'",
                self.text
            )),
            EvaluateError::Arguments(error) => EngineError::runtime(format!(
                "There was an error while evaluating the intrinsic function: {}. {error}",
                self.text
            )),
            EvaluateError::TooLarge => EngineError::too_large(environment.state),
        })
    }
}

impl Call {
    fn evaluate(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, EvaluateError> {
        let mut values = Vec::with_capacity(self.arguments.len());
        // A function's value is hardly larger than its arguments, but nested calls could multiply the arguments.
        let mut budget = ByteBudget::new(size::WORKING_BYTES_MAX);
        for argument in &self.arguments {
            let value = argument.evaluate(data, environment)?;
            if !budget.take(&value) {
                return Err(EvaluateError::TooLarge);
            }
            values.push(value);
        }
        self.apply(&values, environment).map_err(EvaluateError::Arguments)
    }

    /// Calls the function.
    fn apply(&self, arguments: &[Cow<'_, Value>], environment: &Environment<'_>) -> Result<Value, ArgumentError> {
        let (name, function) = (self.name, self.function);
        let value = match (function, arguments) {
            (Function::Array, items) => Some(items.iter().map(|item| Value::clone(item)).collect()),
            (Function::ArrayContains, [array, value]) => array::contains(array, value),
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
            (Function::JsonToString, _) => return Err(ArgumentError::NotOne(name)),
            (Function::MathAdd, [one, other]) => math::add(one, other),
            (Function::MathRandom, [start, end]) => math::random(start, end, None, environment.random),
            (Function::MathRandom, [start, end, seed]) => math::random(start, end, Some(seed), environment.random),
            (Function::StringSplit, [text, delimiters]) => text::split(text, delimiters),
            (Function::StringToJson, arguments) => return text::string_to_json(name, arguments),
            // The service ignores any arguments.
            (Function::Uuid, _) => Some(Value::String(environment.random.uuid())),
            _ => None,
        };
        value.ok_or(ArgumentError::Invalid(name))
    }
}

impl Argument {
    fn evaluate<'v>(&'v self, data: &'v Value, environment: &Environment<'_>) -> Result<Cow<'v, Value>, EvaluateError> {
        match self {
            Argument::Literal(value) => Ok(Cow::Borrowed(value)),
            Argument::Call(call) => call.evaluate(data, environment).map(Cow::Owned),
            Argument::Path(path) => template::find(path, data, environment).map_err(|miss| match miss {
                Miss::TooLarge => EvaluateError::TooLarge,
                Miss::NullRoot | Miss::Last { .. } | Miss::Before(_) => {
                    EvaluateError::NotFound { path: path.rooted().to_owned(), data: data.to_string() }
                }
            }),
        }
    }
}

/// A number as an integer. The fraction is cut off.
fn truncated(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| math::in_range(value.as_f64()?.trunc()))
}

#[cfg(test)]
mod tests;
