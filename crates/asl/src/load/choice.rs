//! Choice states.

use serde_json::{Number, Value};

use super::Loader;
use super::fields::Fields;
use super::machine::Targets;
use super::states::variables;
use crate::choice::{self, Choice, Comparison, Nature, Order, Rule, Test};
use crate::definition::Setting;
use crate::path::Path;

/// What an operator compares.
#[derive(Clone, Copy)]
enum Family {
    Boolean,
    Is(Nature),
    Matches,
    Number(Order),
    Text(Order),
    Time(Order),
}

/// Every operator, in the order in which the service names them. One that ends in `Path` is its namesake with a path.
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
        let ordered = |kind: &str| operator.strip_prefix(kind).and_then(order);
        Some(match operator {
            "BooleanEquals" => Family::Boolean,
            "IsBoolean" => Family::Is(Nature::Boolean),
            "IsNull" => Family::Is(Nature::Null),
            "IsNumeric" => Family::Is(Nature::Numeric),
            "IsPresent" => Family::Is(Nature::Present),
            "IsString" => Family::Is(Nature::String),
            "IsTimestamp" => Family::Is(Nature::Timestamp),
            "StringMatches" => Family::Matches,
            _ => {
                let numbers = ordered("Numeric").map(Family::Number);
                numbers.or(ordered("String").map(Family::Text)).or(ordered("Timestamp").map(Family::Time))?
            }
        })
    }
}

fn order(name: &str) -> Option<Order> {
    Some(match name {
        "Equals" => Order::Equals,
        "GreaterThan" => Order::GreaterThan,
        "GreaterThanEquals" => Order::GreaterThanEquals,
        "LessThan" => Order::LessThan,
        "LessThanEquals" => Order::LessThanEquals,
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
        let ways = ["And", "Or", "Not", "Variable"];
        if ways.iter().filter(|key| fields.has(key)).count() != 1 && !fields.has("Condition") {
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
        // All of them are read before the first that is missing ends this.
        let tests: Vec<_> = list
            .map(|(index, test)| {
                Fields::of(self, test, format!("{place}[{index}]")).and_then(|inner| self.inner_test(inner))
            })
            .collect();
        tests.into_iter().collect()
    }

    /// A test within And, Or or Not. It has no `Next`, so that one there is complained about.
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
    let bare_name = name.strip_suffix("Path").unwrap_or(name);
    let family = Family::named(bare_name)?;
    let comparison = match bare_name == name {
        true => with_value(fields, name, family),
        false => fields.path(name).and_then(|path| with_path(path, family)),
    };
    Some(Test::Compare { variable: variable?, comparison: Box::new(comparison?) })
}

fn with_value(fields: &mut Fields<'_>, name: &'static str, family: Family) -> Option<Comparison> {
    Some(match family {
        Family::Boolean => Comparison::Boolean(Setting::Fixed(fields.boolean(name)?)),
        Family::Is(nature) => Comparison::Is(nature, fields.boolean(name)?),
        Family::Matches => Comparison::Matches(choice::pattern(fields.text(name)?)),
        Family::Number(order) => Comparison::Number(order, Setting::Fixed(number(fields, name)?)),
        Family::Text(order) => Comparison::Text(order, Setting::Fixed(fields.text(name)?.to_owned())),
        Family::Time(order) => Comparison::Time(order, Setting::Fixed(fields.timestamp(name)?)),
    })
}

fn with_path(path: Path, family: Family) -> Option<Comparison> {
    Some(match family {
        Family::Boolean => Comparison::Boolean(Setting::Path(path)),
        Family::Number(order) => Comparison::Number(order, Setting::Path(path)),
        Family::Text(order) => Comparison::Text(order, Setting::Path(path)),
        Family::Time(order) => Comparison::Time(order, Setting::Path(path)),
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
    fn every_operator_compares_something() {
        for name in NAMES {
            assert!(Family::named(name.strip_suffix("Path").unwrap_or(name)).is_some(), "{name}");
        }
    }
}
