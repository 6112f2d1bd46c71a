//! Loads Choice states.

use serde_json::{Number, Value};

use super::Loader;
use super::fields::Fields;
use super::machine::Targets;
use super::states::variables;
use crate::choice::{self, Choice, Comparison, Relation, Rule, Test, TypeTest};
use crate::definition::Setting;
use crate::path::Path;

/// What an operator does, whether it takes a value or a path.
#[derive(Clone, Copy)]
enum Family {
    Boolean,
    Is(TypeTest),
    Matches,
    Numeric(Relation),
    String(Relation),
    Timestamp(Relation),
}

/// Every operator, in the order of the service's error text. An operator that ends in `Path` compares as the operator
/// without it does, but with the value at a path.
const NAMES: [&str; 39] = [
    "StringEquals",
    "IsBoolean",
    "StringLessThan",
    "IsNumeric",
    "BooleanEquals",
    "StringLessThanEqualsPath",
    "NumericLessThan",
    "NumericGreaterThan",
    "NumericLessThanPath",
    "StringMatches",
    "TimestampLessThanEqualsPath",
    "NumericEquals",
    "TimestampGreaterThan",
    "StringGreaterThanEqualsPath",
    "TimestampGreaterThanEqualsPath",
    "TimestampLessThanEquals",
    "NumericLessThanEqualsPath",
    "TimestampEquals",
    "BooleanEqualsPath",
    "IsTimestamp",
    "StringLessThanEquals",
    "NumericLessThanEquals",
    "StringLessThanPath",
    "TimestampGreaterThanPath",
    "StringGreaterThan",
    "StringGreaterThanPath",
    "IsString",
    "StringEqualsPath",
    "TimestampEqualsPath",
    "TimestampLessThan",
    "StringGreaterThanEquals",
    "NumericGreaterThanPath",
    "NumericGreaterThanEquals",
    "NumericEqualsPath",
    "TimestampLessThanPath",
    "IsNull",
    "IsPresent",
    "TimestampGreaterThanEquals",
    "NumericGreaterThanEqualsPath",
];

impl Family {
    fn named(operator: &str) -> Option<Family> {
        let ordered = |kind: &str| operator.strip_prefix(kind).and_then(relation);
        Some(match operator {
            "BooleanEquals" => Family::Boolean,
            "IsBoolean" => Family::Is(TypeTest::Boolean),
            "IsNull" => Family::Is(TypeTest::Null),
            "IsNumeric" => Family::Is(TypeTest::Numeric),
            "IsPresent" => Family::Is(TypeTest::Present),
            "IsString" => Family::Is(TypeTest::String),
            "IsTimestamp" => Family::Is(TypeTest::Timestamp),
            "StringMatches" => Family::Matches,
            _ => {
                let numbers = ordered("Numeric").map(Family::Numeric);
                numbers.or(ordered("String").map(Family::String)).or(ordered("Timestamp").map(Family::Timestamp))?
            }
        })
    }
}

fn relation(name: &str) -> Option<Relation> {
    Some(match name {
        "Equals" => Relation::Equals,
        "GreaterThan" => Relation::GreaterThan,
        "GreaterThanEquals" => Relation::GreaterThanEquals,
        "LessThan" => Relation::LessThan,
        "LessThanEquals" => Relation::LessThanEquals,
        _ => return None,
    })
}

impl Loader {
    pub(super) fn choice(&self, fields: &mut Fields<'_>, targets: &Targets<'_>) -> Option<Choice> {
        if !fields.has("Choices") {
            fields.defect_here("These fields are required: [Choices]");
        }
        let default = targets.find(fields, "Default");
        let place = fields.place_of("Choices");
        let mut rules = Vec::new();
        for (index, rule) in fields.list("Choices")?.iter().enumerate() {
            let Some(mut fields) = Fields::of(self, rule, format!("{place}[{index}]")) else { continue };
            if !fields.has("Next") {
                fields.defect_here("These fields are required: [Next]");
            }
            let next = targets.find(&mut fields, "Next");
            let assign = variables(&mut fields);
            let test = self.test(&mut fields);
            fields.finish();
            rules.extend(test.zip(next).map(|(test, next)| Rule { test, assign, next }));
        }
        Some(Choice { rules, default })
    }

    fn test(&self, fields: &mut Fields<'_>) -> Option<Test> {
        let forms = ["And", "Or", "Not", "Variable"];
        if forms.iter().filter(|key| fields.has(key)).count() != 1 && !fields.has("Condition") {
            fields.defect_here(
                "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]",
            );
        }
        if !["And", "Or", "Not"].iter().any(|key| fields.has(key)) {
            return comparison(fields);
        }
        let all = self.tests(fields, "And").map(Test::And);
        let any = self.tests(fields, "Or").map(Test::Or);
        let none = fields.object("Not").and_then(|inner| self.inner_test(inner)).map(|test| Test::Not(Box::new(test)));
        all.or(any).or(none)
    }

    fn tests(&self, fields: &mut Fields<'_>, key: &'static str) -> Option<Vec<Test>> {
        let place = fields.place_of(key);
        let list = fields.list(key)?.iter().enumerate();
        // All tests are loaded before the result is decided, so that the defects of each are reported.
        let tests: Vec<_> = list
            .map(|(index, test)| {
                Fields::of(self, test, format!("{place}[{index}]")).and_then(|inner| self.inner_test(inner))
            })
            .collect();
        tests.into_iter().collect()
    }

    /// A test within `And`, `Or` or `Not`. It cannot have a `Next`, so `finish` reports one as a defect.
    fn inner_test(&self, mut fields: Fields<'_>) -> Option<Test> {
        let test = self.test(&mut fields);
        fields.finish();
        test
    }
}

fn comparison(fields: &mut Fields<'_>) -> Option<Test> {
    let variable = fields.rooted_path("Variable");
    if fields.has("Variable") {
        fields.exactly_one_of(&NAMES);
    }
    let present: Vec<_> = NAMES.into_iter().filter(|name| fields.get(name).is_some()).collect();
    let [name] = present[..] else { return None };
    let base_name = name.strip_suffix("Path").unwrap_or(name);
    let family = Family::named(base_name)?;
    let comparison = match base_name == name {
        true => with_value(fields, name, family),
        false => fields.path(name).and_then(|path| with_path(path, family)),
    };
    Some(Test::Compare { variable: variable?, comparison: Box::new(comparison?) })
}

fn with_value(fields: &mut Fields<'_>, name: &'static str, family: Family) -> Option<Comparison> {
    Some(match family {
        Family::Boolean => Comparison::Boolean(Setting::Fixed(fields.boolean(name)?)),
        Family::Is(type_test) => Comparison::Is(type_test, fields.boolean(name)?),
        Family::Matches => Comparison::Matches(choice::pattern(fields.text(name)?)),
        Family::Numeric(relation) => Comparison::Numeric(relation, Setting::Fixed(number(fields, name)?)),
        Family::String(relation) => Comparison::String(relation, Setting::Fixed(fields.text(name)?.to_owned())),
        Family::Timestamp(relation) => Comparison::Timestamp(relation, Setting::Fixed(fields.timestamp(name)?)),
    })
}

fn with_path(path: Path, family: Family) -> Option<Comparison> {
    Some(match family {
        Family::Boolean => Comparison::Boolean(Setting::Path(path)),
        Family::Numeric(relation) => Comparison::Numeric(relation, Setting::Path(path)),
        Family::String(relation) => Comparison::String(relation, Setting::Path(path)),
        Family::Timestamp(relation) => Comparison::Timestamp(relation, Setting::Path(path)),
        Family::Is(_) | Family::Matches => return None,
    })
}

fn number(fields: &mut Fields<'_>, name: &'static str) -> Option<Number> {
    let value = fields.get(name).and_then(Value::as_number).cloned();
    if value.is_none() {
        fields.defect(name, "Expected value of type Number");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_a_family() {
        for name in NAMES {
            assert!(Family::named(name.strip_suffix("Path").unwrap_or(name)).is_some(), "{name}");
        }
    }
}
