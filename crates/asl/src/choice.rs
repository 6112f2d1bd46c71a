//! The rules of a Choice state.
//!
//! A comparison of values of different types is false. The exception is a number that is compared with the value at a
//! path: [`number`] converts that value. A path that finds nothing ends the execution, except with `IsPresent`.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use crate::context::Environment;
use crate::definition::Setting;
use crate::error::EngineError;
use crate::path::{Miss, Path};
use crate::template::{self, Template};
use crate::time;

/// The rules in order, and the index of the next state if no rule applies.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<usize>,
}

/// One entry of `Choices`.
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
    /// The test, and the result that it must have.
    Is(TypeTest, bool),
    /// The parts of a pattern between its wildcards.
    Matches(Vec<String>),
    Numeric(Relation, Setting<Number>),
    String(Relation, Setting<String>),
    Timestamp(Relation, Setting<Timestamp>),
}

/// What an `Is…` operator tests. `Present` tests that there is a value, the others test its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeTest {
    Boolean,
    Null,
    Numeric,
    Present,
    String,
    Timestamp,
}

/// How the value must compare with the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    GreaterThan,
    GreaterThanEquals,
    LessThan,
    LessThanEquals,
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equals => ordering.is_eq(),
            Relation::GreaterThan => ordering.is_gt(),
            Relation::GreaterThanEquals => ordering.is_ge(),
            Relation::LessThan => ordering.is_lt(),
            Relation::LessThanEquals => ordering.is_le(),
        }
    }
}

impl Test {
    /// Whether the test holds. `And` and `Or` stop at the first test that decides.
    pub(crate) fn holds(&self, data: &Value, environment: &Environment<'_>) -> Result<bool, EngineError> {
        match self {
            Test::And(tests) => all_hold(tests, true, data, environment),
            Test::Or(tests) => all_hold(tests, false, data, environment).map(|none| !none),
            Test::Not(test) => test.holds(data, environment).map(|holds| !holds),
            Test::Compare { variable, comparison } => comparison.holds(variable, data, environment),
        }
    }
}

fn all_hold(tests: &[Test], expected: bool, data: &Value, environment: &Environment<'_>) -> Result<bool, EngineError> {
    for test in tests {
        if test.holds(data, environment)? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Comparison {
    fn holds(&self, variable: &Path, data: &Value, environment: &Environment<'_>) -> Result<bool, EngineError> {
        if let Comparison::Is(TypeTest::Present, expected) = self {
            return Ok(template::find(variable, data, environment).is_ok() == *expected);
        }
        let value = find(variable, data, environment)?;
        let value = value.as_ref();
        Ok(match self {
            Comparison::Is(type_test, expected) => is(*type_test, value) == *expected,
            Comparison::Matches(parts) => value.as_str().is_some_and(|text| matches(parts, text)),
            Comparison::Boolean(Setting::Fixed(expected)) => value.as_bool() == Some(*expected),
            Comparison::Boolean(Setting::Path(path)) => value.is_boolean() && *find(path, data, environment)? == *value,
            Comparison::Numeric(relation, Setting::Fixed(other)) => {
                value.as_number().and_then(|number| compare_numbers(number, other)).is_some_and(|is| relation.holds(is))
            }
            Comparison::Numeric(relation, Setting::Path(path)) => {
                let other = number(find(path, data, environment)?.as_ref());
                value
                    .as_number()
                    .and_then(|number| compare_numbers(number, &other))
                    .is_some_and(|is| relation.holds(is))
            }
            Comparison::String(relation, Setting::Fixed(other)) => {
                value.as_str().is_some_and(|text| relation.holds(compare_strings(text, other)))
            }
            Comparison::String(relation, Setting::Path(path)) => {
                let other = find(path, data, environment)?;
                value.as_str().zip(other.as_str()).is_some_and(|(one, two)| relation.holds(compare_strings(one, two)))
            }
            Comparison::Timestamp(relation, Setting::Fixed(other)) => {
                timestamp(value).is_some_and(|at| relation.holds(at.cmp(other)))
            }
            Comparison::Timestamp(relation, Setting::Path(path)) => {
                let other = find(path, data, environment)?;
                timestamp(value).zip(timestamp(&other)).is_some_and(|(one, two)| relation.holds(one.cmp(&two)))
            }
        })
    }
}

fn find<'v>(path: &Path, data: &'v Value, environment: &Environment<'_>) -> Result<Cow<'v, Value>, EngineError> {
    template::find(path, data, environment).map_err(|miss| match miss {
        Miss::TooLarge => EngineError::too_large(environment.state),
        Miss::NullRoot | Miss::Last { .. } | Miss::Before(_) => EngineError::runtime(format!(
            "Invalid path '{}': The choice state's condition path references an invalid value.",
            path.text
        )),
    })
}

fn is(type_test: TypeTest, value: &Value) -> bool {
    match type_test {
        TypeTest::Boolean => value.is_boolean(),
        TypeTest::Null => value.is_null(),
        TypeTest::Numeric => value.is_number(),
        TypeTest::Present => true,
        TypeTest::String => value.is_string(),
        TypeTest::Timestamp => timestamp(value).is_some(),
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(time::parse)
}

/// The number that the service takes from the value at a path, whatever its type. A string is the number that it spells,
/// `true` is 1, and anything else is 0.
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

/// Compares UTF-16 code units, as Java does. The order of bytes differs from it for surrogate pairs only.
fn compare_strings(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

/// Splits a pattern at each `*`. A backslash takes the special meaning from the next character.
pub(crate) fn pattern(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(part) = parts.last_mut() {
            part.push(literal);
        }
    }
    parts
}

fn matches(parts: &[String], text: &str) -> bool {
    let (Some((first, rest)), Some(text_after)) =
        (parts.split_first(), parts.first().and_then(|part| text.strip_prefix(part.as_str())))
    else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return text == first;
    };
    // The first match of each middle part is enough: only the last part must be at a fixed place, the end.
    let mut rest_of_text = text_after;
    for part in middle {
        match rest_of_text.find(part.as_str()) {
            Some(at) => rest_of_text = rest_of_text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest_of_text.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_characters() {
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
        for (pattern_text, text, expected) in cases {
            assert_eq!(matches(&pattern(pattern_text), text), expected, "{pattern_text} {text}");
        }
    }

    #[test]
    fn integers_compare_with_floats() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert_eq!(compare_numbers(&number("1"), &number("1.0")), Some(Ordering::Equal));
        assert_eq!(compare_numbers(&number("9007199254740993"), &number("9007199254740992")), Some(Ordering::Greater));
    }
}
