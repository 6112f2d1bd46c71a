//! The conditions of a statement.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use serde_json::Value;

use crate::context::{Context, Key};
use crate::pattern::{arn_fields, arn_like, like};
use crate::policy::{Problem, strings};

/// One entry of a condition block: a key, and the test that its values must pass.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The condition key in lowercase.
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// `Null`: whether the key must be absent.
    Null(bool),
    Values {
        set: SetOperator,
        if_exists: bool,
        negated: bool,
        comparison: Comparison,
        /// The values in the policy, which are alternatives.
        expected: Vec<String>,
    },
}

/// Which of a key's values must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SetOperator {
    /// No set operator: the key has one value.
    None,
    /// `ForAllValues`: all of them. A key without values passes.
    All,
    /// `ForAnyValue`: at least one of them.
    Any,
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
}

impl Comparison {
    fn matches(self, expected: &str, value: &str) -> bool {
        match self {
            Comparison::Equals => expected == value,
            Comparison::EqualsIgnoreCase => expected.eq_ignore_ascii_case(value),
            Comparison::Like => like(expected, value),
            Comparison::Arn => arn_like(expected, value),
        }
    }
}

impl Condition {
    /// Reads a condition block. `keys` are the keys that a context can have.
    pub(crate) fn read_all(block: &Value, keys: &[Key]) -> Result<Vec<Condition>, Problem> {
        let Some(operators) = block.as_object() else { return Err(Problem::value("Condition", block)) };
        let mut conditions = Vec::new();
        for (operator, entries) in operators {
            let Some(entries) = entries.as_object() else { return Err(Problem::value("Condition", block)) };
            for (key, expected) in entries {
                conditions.push(Condition::read(operator, key, expected, keys)?);
            }
        }
        Ok(conditions)
    }

    fn read(operator: &str, key: &str, expected: &Value, keys: &[Key]) -> Result<Condition, Problem> {
        let Some(known) = keys.iter().find(|known| known.is(key)) else {
            return Err(Problem::ConditionKey(key.to_owned()));
        };
        let test = match operator {
            "Null" => Test::Null(boolean(key, expected)?),
            operator => values(operator, key, expected, matches!(known, Key::Many(_)))?,
        };
        Ok(Condition { key: key.to_ascii_lowercase(), test })
    }

    /// Whether the context meets the condition.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let values = context.values(&self.key);
        match &self.test {
            Test::Null(absent) => values.is_empty() == *absent,
            Test::Values { if_exists: true, .. } if values.is_empty() => true,
            Test::Values { set, negated, comparison, expected, .. } => {
                // One expected value is enough. In a negated test, no expected value can match.
                let passes =
                    |value: &String| expected.iter().any(|expected| comparison.matches(expected, value)) != *negated;
                match set {
                    SetOperator::None if values.is_empty() => *negated,
                    SetOperator::None | SetOperator::All => values.iter().all(passes),
                    SetOperator::Any => values.iter().any(passes),
                }
            }
        }
    }
}

fn values(operator: &str, key: &str, expected: &Value, has_many_values: bool) -> Result<Test, Problem> {
    let (set, rest) = match operator.split_once(':') {
        Some(("ForAllValues", rest)) => (SetOperator::All, rest),
        Some(("ForAnyValue", rest)) => (SetOperator::Any, rest),
        _ => (SetOperator::None, operator),
    };
    let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
    let (comparison, negated) = match base {
        "StringEquals" => (Comparison::Equals, false),
        "StringNotEquals" => (Comparison::Equals, true),
        "StringEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, true),
        "StringLike" => (Comparison::Like, false),
        "StringNotLike" => (Comparison::Like, true),
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        _ => return Err(Problem::Operator(operator.to_owned())),
    };
    // IAM does not document the result if the set operator does not fit the key.
    match (set, has_many_values) {
        (SetOperator::None, true) => {
            return Err(Problem::OneOfMany { operator: operator.to_owned(), key: key.to_owned() });
        }
        (SetOperator::All | SetOperator::Any, false) => {
            return Err(Problem::SetOfOne { operator: operator.to_owned(), key: key.to_owned() });
        }
        _ => {}
    }
    let expected = strings(key, expected)?;
    if let (Comparison::Arn, Some(invalid)) = (comparison, expected.iter().find(|arn| arn_fields(arn).is_none())) {
        return Err(Problem::Arn(invalid.clone()));
    }
    Ok(Test::Values { set, if_exists, negated, comparison, expected })
}

fn boolean(key: &str, value: &Value) -> Result<bool, Problem> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(value) if value == "true" => Ok(true),
        Value::String(value) if value == "false" => Ok(false),
        other => Err(Problem::value(key, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEYS: [Key; 3] = [Key::One("ec2:CreateAction"), Key::Many("aws:TagKeys"), Key::OfTag("aws:RequestTag/")];

    #[track_caller]
    fn read(block: &Value) -> Vec<Condition> {
        Condition::read_all(block, &KEYS).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Checks a condition on a tag against each value of the tag, or its absence, and the expected result.
    #[track_caller]
    fn check(operator: &str, condition: &Value, results: &[(Option<&str>, bool)]) {
        let conditions = read(&json!({operator: {"aws:RequestTag/Team": condition}}));
        for (value, expected) in results {
            let context = Context::default().with_all("AWS:requesttag/team", *value);
            assert_eq!(conditions[0].holds(&context), *expected, "{operator} {condition} on {value:?}");
        }
    }

    #[test]
    fn one_expected_value_is_enough_and_an_absent_key_passes_only_negated_tests() {
        let ab = json!(["a", "b"]);
        check("StringEquals", &ab, &[(Some("b"), true), (Some("B"), false), (Some("c"), false), (None, false)]);
        check("StringNotEquals", &ab, &[(Some("b"), false), (Some("c"), true), (None, true)]);
        check("StringEqualsIgnoreCase", &ab, &[(Some("B"), true), (Some("c"), false), (None, false)]);
        check("StringNotEqualsIgnoreCase", &ab, &[(Some("B"), false), (Some("c"), true), (None, true)]);
        check("StringLike", &json!("?*"), &[(Some("x"), true), (Some(""), false), (None, false)]);
        check("StringNotLike", &json!("a*"), &[(Some("ab"), false), (Some("b"), true), (None, true)]);
        check("StringEqualsIfExists", &ab, &[(Some("c"), false), (None, true)]);
        check("Null", &json!("true"), &[(Some("x"), false), (None, true)]);
        check("Null", &json!(false), &[(Some("x"), true), (None, false)]);
        let arn = json!("arn:aws:iam::*:role/a*");
        check("ArnEquals", &arn, &[(Some("arn:aws:iam::1:role/ab"), true), (Some("arn:aws:iam::1:role/b"), false)]);
        check("ArnNotLike", &arn, &[(Some("arn:aws:iam::1:role/ab"), false), (None, true)]);
    }

    #[test]
    fn a_set_operator_requires_all_values_or_any_value_to_pass() {
        for (operator, keys, expected) in [
            ("ForAllValues:StringNotLike", &["a", "b"][..], true),
            ("ForAllValues:StringNotLike", &["a", "fleetwright:run"], false),
            ("ForAllValues:StringNotLike", &[], true),
            ("ForAllValues:StringLike", &["fleetwright:run", "fleetwright:fleet"], true),
            ("ForAllValues:StringLike", &["fleetwright:run", "a"], false),
            ("ForAnyValue:StringLike", &["fleetwright:run", "a"], true),
            ("ForAnyValue:StringLike", &[], false),
            ("ForAnyValue:StringNotLike", &["fleetwright:run", "a"], true),
            ("ForAnyValue:StringNotLike", &["fleetwright:run"], false),
        ] {
            let conditions = read(&json!({operator: {"aws:TagKeys": "fleetwright:*"}}));
            let context = Context::default().with_all("aws:TagKeys", keys.iter().copied());
            assert_eq!(conditions[0].holds(&context), expected, "{operator} on {keys:?}");
        }
    }

    #[test]
    fn an_error_names_the_unsupported_part() {
        for (block, problem) in [
            (json!({"NumericEquals": {"ec2:CreateAction": "1"}}), "unsupported condition operator NumericEquals"),
            (json!({"stringEquals": {"ec2:CreateAction": "1"}}), "unsupported condition operator stringEquals"),
            (json!({"StringEquals": {"aws:SourceIp": "1"}}), "unsupported condition key aws:SourceIp"),
            (json!({"StringEquals": {"aws:RequestTag/": "1"}}), "unsupported condition key aws:RequestTag/"),
            (json!({"StringEquals": {"aws:TagKeys": "1"}}), "aws:TagKeys, which has any number of values"),
            (json!({"ForAnyValue:StringLike": {"ec2:CreateAction": "1"}}), "ec2:CreateAction, which has one value"),
            (json!({"StringEquals": {"ec2:CreateAction": []}}), "value of ec2:CreateAction: []"),
            (
                json!({"StringEquals": {"ec2:CreateAction": "${aws:username}"}}),
                "unsupported policy variable in ${aws:username}",
            ),
            (json!({"ArnLike": {"ec2:CreateAction": "arn:aws:*"}}), "invalid ARN arn:aws:*"),
            (json!({"Null": {"ec2:CreateAction": "yes"}}), "value of ec2:CreateAction: \"yes\""),
            (json!({"StringEquals": "ec2:CreateAction"}), "value of Condition: "),
        ] {
            let message = Condition::read_all(&block, &KEYS).unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
