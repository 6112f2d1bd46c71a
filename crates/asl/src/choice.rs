//! The rules of a Choice state.
//!
//! A comparison of values of different types is false, unless a number is compared with what a path leads to. A path that
//! leads nowhere ends the execution, except for `IsPresent`, which asks just that.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::context::Environment;
use crate::definition::Setting;
use crate::fault::Fault;
use crate::path::{Miss, Path};
use crate::template::{self, Template};
use crate::time;

/// The rules in their order, and where to go if none applies.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) test: Test,
    pub(crate) assign: Option<Template>,
    pub(crate) next: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare { variable: Path, comparison: Box<Comparison> },
}

#[derive(Clone, Debug)]
pub(crate) enum Comparison {
    Boolean(Setting<bool>),
    Is(Nature, bool),
    /// The pieces of a pattern between its wildcards.
    Matches(Vec<String>),
    Number(Order, Setting<Number>),
    Text(Order, Setting<String>),
    Time(Order, Setting<Timestamp>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    Boolean,
    Null,
    Numeric,
    Present,
    String,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    GreaterThan,
    GreaterThanEquals,
    LessThan,
    LessThanEquals,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Equals => ordering.is_eq(),
            Order::GreaterThan => ordering.is_gt(),
            Order::GreaterThanEquals => ordering.is_ge(),
            Order::LessThan => ordering.is_lt(),
            Order::LessThanEquals => ordering.is_le(),
        }
    }
}

impl Test {
    /// Whether it holds. And and Or look no further than they must.
    pub(crate) fn holds(&self, data: &Value, environment: &Environment<'_>) -> Result<bool, Fault> {
        match self {
            Test::And(tests) => all_hold(tests, true, data, environment),
            Test::Or(tests) => all_hold(tests, false, data, environment).map(|none| !none),
            Test::Not(test) => test.holds(data, environment).map(|holds| !holds),
            Test::Compare { variable, comparison } => comparison.holds(variable, data, environment),
        }
    }
}

fn all_hold(tests: &[Test], wanted: bool, data: &Value, environment: &Environment<'_>) -> Result<bool, Fault> {
    for test in tests {
        if test.holds(data, environment)? != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Comparison {
    fn holds(&self, variable: &Path, data: &Value, environment: &Environment<'_>) -> Result<bool, Fault> {
        if let Comparison::Is(Nature::Present, wanted) = self {
            return Ok(template::find(variable, data, environment).is_ok() == *wanted);
        }
        let value = find(variable, data, environment)?;
        let value = value.as_ref();
        Ok(match self {
            Comparison::Is(nature, wanted) => is(*nature, value) == *wanted,
            Comparison::Matches(pieces) => value.as_str().is_some_and(|text| matches(pieces, text)),
            Comparison::Boolean(Setting::Fixed(wanted)) => value.as_bool() == Some(*wanted),
            Comparison::Boolean(Setting::Path(path)) => value.is_boolean() && *find(path, data, environment)? == *value,
            Comparison::Number(order, Setting::Fixed(other)) => {
                value.as_number().and_then(|number| compare_numbers(number, other)).is_some_and(|is| order.holds(is))
            }
            Comparison::Number(order, Setting::Path(path)) => {
                let other = number(find(path, data, environment)?.as_ref());
                value.as_number().and_then(|number| compare_numbers(number, &other)).is_some_and(|is| order.holds(is))
            }
            Comparison::Text(order, Setting::Fixed(other)) => {
                value.as_str().is_some_and(|text| order.holds(compare_texts(text, other)))
            }
            Comparison::Text(order, Setting::Path(path)) => {
                let other = find(path, data, environment)?;
                value.as_str().zip(other.as_str()).is_some_and(|(one, two)| order.holds(compare_texts(one, two)))
            }
            Comparison::Time(order, Setting::Fixed(other)) => {
                timestamp(value).is_some_and(|at| order.holds(at.cmp(other)))
            }
            Comparison::Time(order, Setting::Path(path)) => {
                let other = find(path, data, environment)?;
                timestamp(value).zip(timestamp(&other)).is_some_and(|(one, two)| order.holds(one.cmp(&two)))
            }
        })
    }
}

fn find<'v>(path: &Path, data: &'v Value, environment: &Environment<'_>) -> Result<Cow<'v, Value>, Fault> {
    template::find(path, data, environment).map_err(|miss| match miss {
        Miss::TooLarge => Fault::too_large(environment.state),
        Miss::NullRoot | Miss::Last { .. } | Miss::Before(_) => Fault::runtime(format!(
            "Invalid path '{}': The choice state's condition path references an invalid value.",
            path.text
        )),
    })
}

fn is(nature: Nature, value: &Value) -> bool {
    match nature {
        Nature::Boolean => value.is_boolean(),
        Nature::Null => value.is_null(),
        Nature::Numeric => value.is_number(),
        Nature::Present => true,
        Nature::String => value.is_string(),
        Nature::Timestamp => timestamp(value).is_some(),
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(time::parse)
}

/// What the service compares a number with, whatever it is: a text as the number that it says, `true` as 1, anything
/// else as 0.
fn number(value: &Value) -> Number {
    match value {
        Value::Number(number) => number.clone(),
        Value::Bool(is) => Number::from(u8::from(*is)),
        Value::String(text) => text.trim().parse().ok().and_then(Number::from_f64).unwrap_or_else(|| Number::from(0)),
        Value::Null | Value::Array(_) | Value::Object(_) => Number::from(0),
    }
}

fn compare_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// By UTF-16 code units, as the service's platform compares. Bytes order the same but for surrogates.
fn compare_texts(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

/// Splits a pattern at its `*`. A backslash makes the next character, `*` included, an ordinary one.
pub(crate) fn pattern(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let ordinary = match c {
            '*' => {
                pieces.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(piece) = pieces.last_mut() {
            piece.push(ordinary);
        }
    }
    pieces
}

fn matches(pieces: &[String], text: &str) -> bool {
    let (Some((first, rest)), Some(text_after)) =
        (pieces.split_first(), pieces.first().and_then(|p| text.strip_prefix(p.as_str())))
    else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return text == first;
    };
    // Taking each piece at its first place is enough, since only the last one is bound to an end.
    let mut left = text_after;
    for piece in middle {
        match left.find(piece.as_str()) {
            Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_wildcards_do() {
        let cases = [
            ("log-*.txt", "log-2.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log-2.txt.gz", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("foo\\*bar", "foo*bar", true),
            ("foo\\*bar", "fooXbar", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ];
        for (wanted, text, expected) in cases {
            assert_eq!(matches(&pattern(wanted), text), expected, "{wanted} {text}");
        }
    }

    #[test]
    fn integers_and_floats_compare() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert_eq!(compare_numbers(&number("1"), &number("1.0")), Some(Ordering::Equal));
        assert_eq!(compare_numbers(&number("9007199254740993"), &number("9007199254740992")), Some(Ordering::Greater));
    }
}
