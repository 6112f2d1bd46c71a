//! Conditions.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use serde_json::Value;

use crate::context::{Context, Key};
use crate::pattern::{arn_fields, arn_like, like};
use crate::policy::{Refusal, strings};

/// One line of a condition block: a key, and what its values have to be.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// In lowercase.
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// Whether the key is absent.
    Null(bool),
    Values {
        over: Over,
        if_exists: bool,
        negated: bool,
        kind: Kind,
        wanted: Vec<String>,
    },
}

/// Which of a key's values have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// The key has one value.
    One,
    /// All of them; so no value passes as well.
    All,
    /// At least one.
    Any,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
}

impl Kind {
    fn admits(self, wanted: &str, value: &str) -> bool {
        match self {
            Kind::Equals => wanted == value,
            Kind::EqualsIgnoreCase => wanted.eq_ignore_ascii_case(value),
            Kind::Like => like(wanted, value),
            Kind::Arn => arn_like(wanted, value),
        }
    }
}

impl Condition {
    /// Reads a condition block; `keys` are those that a context may have.
    pub(crate) fn read_all(block: &Value, keys: &[Key]) -> Result<Vec<Condition>, Refusal> {
        let Some(operators) = block.as_object() else { return Err(Refusal::of("the condition", block)) };
        let mut conditions = Vec::new();
        for (operator, lines) in operators {
            let Some(lines) = lines.as_object() else { return Err(Refusal::of("the condition", block)) };
            for (key, wanted) in lines {
                conditions.push(Condition::read(operator, key, wanted, keys)?);
            }
        }
        Ok(conditions)
    }

    fn read(operator: &str, key: &str, wanted: &Value, keys: &[Key]) -> Result<Condition, Refusal> {
        let Some(known) = keys.iter().find(|known| known.is(key)) else {
            return Err(Refusal(format!("the condition key {key}")));
        };
        let test = match operator {
            "Null" => Test::Null(boolean(key, wanted)?),
            operator => values(operator, key, wanted, matches!(known, Key::Many(_)))?,
        };
        Ok(Condition { key: key.to_ascii_lowercase(), test })
    }

    /// Whether the condition is met.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let values = context.values(&self.key);
        match &self.test {
            Test::Null(absent) => values.is_empty() == *absent,
            Test::Values { if_exists: true, .. } if values.is_empty() => true,
            Test::Values { over, negated, kind, wanted, .. } => {
                // Several wanted values are alternatives; negated, none of them may be.
                let passes = |value: &String| wanted.iter().any(|wanted| kind.admits(wanted, value)) != *negated;
                match over {
                    Over::One if values.is_empty() => *negated,
                    Over::One | Over::All => values.iter().all(passes),
                    Over::Any => values.iter().any(passes),
                }
            }
        }
    }
}

fn values(operator: &str, key: &str, wanted: &Value, many: bool) -> Result<Test, Refusal> {
    let (over, rest) = match operator.split_once(':') {
        Some(("ForAllValues", rest)) => (Over::All, rest),
        Some(("ForAnyValue", rest)) => (Over::Any, rest),
        _ => (Over::One, operator),
    };
    let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
    let (kind, negated) = match base {
        "StringEquals" => (Kind::Equals, false),
        "StringNotEquals" => (Kind::Equals, true),
        "StringEqualsIgnoreCase" => (Kind::EqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Kind::EqualsIgnoreCase, true),
        "StringLike" => (Kind::Like, false),
        "StringNotLike" => (Kind::Like, true),
        "ArnEquals" | "ArnLike" => (Kind::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Kind::Arn, true),
        _ => return Err(Refusal(format!("the condition operator {operator}"))),
    };
    // What IAM makes of the one where the other belongs is not documented.
    match (over, many) {
        (Over::One, true) => return Err(Refusal(format!("{operator} on {key}, which has any number of values"))),
        (Over::All | Over::Any, false) => return Err(Refusal(format!("{operator} on {key}, which has one value"))),
        _ => {}
    }
    let wanted = strings(key, wanted)?;
    if let (Kind::Arn, Some(odd)) = (kind, wanted.iter().find(|wanted| arn_fields(wanted).is_none())) {
        return Err(Refusal(format!("the ARN {odd}")));
    }
    Ok(Test::Values { over, if_exists, negated, kind, wanted })
}

fn boolean(key: &str, wanted: &Value) -> Result<bool, Refusal> {
    match wanted {
        Value::Bool(wanted) => Ok(*wanted),
        Value::String(wanted) if wanted == "true" => Ok(true),
        Value::String(wanted) if wanted == "false" => Ok(false),
        other => Err(Refusal::of(key, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEYS: [Key; 3] = [Key::One("ec2:CreateAction"), Key::Many("aws:TagKeys"), Key::OfTag("aws:RequestTag/")];

    #[track_caller]
    fn read(block: &Value) -> Vec<Condition> {
        Condition::read_all(block, &KEYS).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// Whether a tag with one of `values`, or none, meets a condition.
    #[track_caller]
    fn check(operator: &str, wanted: &Value, expected: &[(Option<&str>, bool)]) {
        let conditions = read(&json!({operator: {"aws:RequestTag/Team": wanted}}));
        for (value, expected) in expected {
            let context = Context::default().with_all("AWS:requesttag/team", *value);
            assert_eq!(conditions[0].holds(&context), *expected, "{operator} {wanted} on {value:?}");
        }
    }

    #[test]
    fn one_of_the_wanted_values_will_do_and_a_missing_key_meets_only_what_is_negated() {
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
    fn of_many_values_all_or_any_have_to_pass() {
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
    fn what_is_not_understood_is_refused_by_name() {
        for (block, refusal) in [
            (json!({"NumericEquals": {"ec2:CreateAction": "1"}}), "the condition operator NumericEquals"),
            (json!({"stringEquals": {"ec2:CreateAction": "1"}}), "the condition operator stringEquals"),
            (json!({"StringEquals": {"aws:SourceIp": "1"}}), "the condition key aws:SourceIp"),
            (json!({"StringEquals": {"aws:RequestTag/": "1"}}), "the condition key aws:RequestTag/"),
            (json!({"StringEquals": {"aws:TagKeys": "1"}}), "aws:TagKeys, which has any number of values"),
            (json!({"ForAnyValue:StringLike": {"ec2:CreateAction": "1"}}), "ec2:CreateAction, which has one value"),
            (json!({"StringEquals": {"ec2:CreateAction": []}}), "ec2:CreateAction []"),
            (json!({"StringEquals": {"ec2:CreateAction": "${aws:username}"}}), "the variable in ${aws:username}"),
            (json!({"ArnLike": {"ec2:CreateAction": "arn:aws:*"}}), "the ARN arn:aws:*"),
            (json!({"Null": {"ec2:CreateAction": "yes"}}), "ec2:CreateAction \"yes\""),
            (json!({"StringEquals": "ec2:CreateAction"}), "the condition"),
        ] {
            let message = Condition::read_all(&block, &KEYS).unwrap_err().to_string();
            assert!(message.contains(refusal), "{message}");
        }
    }
}
