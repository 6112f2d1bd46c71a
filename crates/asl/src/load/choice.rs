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

/// Every operator that takes a value. All but the last two kinds have a twin that takes a path, named `…Path`.
const OPERATORS: [(&str, Family); 23] = [
    ("BooleanEquals", Family::Boolean),
    ("IsBoolean", Family::Is(Nature::Boolean)),
    ("IsNull", Family::Is(Nature::Null)),
    ("IsNumeric", Family::Is(Nature::Numeric)),
    ("IsPresent", Family::Is(Nature::Present)),
    ("IsString", Family::Is(Nature::String)),
    ("IsTimestamp", Family::Is(Nature::Timestamp)),
    ("NumericEquals", Family::Number(Order::Equals)),
    ("NumericGreaterThan", Family::Number(Order::GreaterThan)),
    ("NumericGreaterThanEquals", Family::Number(Order::GreaterThanEquals)),
    ("NumericLessThan", Family::Number(Order::LessThan)),
    ("NumericLessThanEquals", Family::Number(Order::LessThanEquals)),
    ("StringEquals", Family::Text(Order::Equals)),
    ("StringGreaterThan", Family::Text(Order::GreaterThan)),
    ("StringGreaterThanEquals", Family::Text(Order::GreaterThanEquals)),
    ("StringLessThan", Family::Text(Order::LessThan)),
    ("StringLessThanEquals", Family::Text(Order::LessThanEquals)),
    ("StringMatches", Family::Matches),
    ("TimestampEquals", Family::Time(Order::Equals)),
    ("TimestampGreaterThan", Family::Time(Order::GreaterThan)),
    ("TimestampGreaterThanEquals", Family::Time(Order::GreaterThanEquals)),
    ("TimestampLessThan", Family::Time(Order::LessThan)),
    ("TimestampLessThanEquals", Family::Time(Order::LessThanEquals)),
];

/// All of them and their twins, in the order in which the service names them.
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
    let (_, family) = OPERATORS.iter().find(|(operator, _)| *operator == bare_name)?;
    let comparison = match bare_name == name {
        true => with_value(fields, name, *family),
        false => fields.path(name).and_then(|path| with_path(path, *family)),
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
