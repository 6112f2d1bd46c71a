//! Payload templates: JSON in which the value of a key that ends in `.$` is computed.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::context::Environment;
use crate::error::EngineError;
use crate::intrinsic::{Intrinsic, InvalidCall};
use crate::invalid;
use crate::java;
use crate::path::{InvalidPath, Miss, Path, Root};
use crate::size::ByteBudget;

/// A parsed payload template.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// A value with nothing to compute.
    Literal(Value),
    Array(Vec<Template>),
    /// The object with null for each field that is computed, and how to make each field, in the same order.
    Object(Map<String, Value>, Vec<Field>),
}

/// One field of an object in a template.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Fixed,
    Template(Template),
    /// The key as the definition has it, for errors, and the expression.
    Expression(String, Expression),
}

/// The value of a key that ends in `.$`.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Path(Path),
    Intrinsic(Intrinsic),
}

/// Why a text is neither a path nor an intrinsic function call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidExpression {
    #[error(transparent)]
    Path(#[from] InvalidPath),
    #[error(transparent)]
    Call(#[from] InvalidCall),
}

/// A defect of a field of a template: the service's error text, and details that the service does not report.
pub(crate) struct FieldDefect {
    pub(crate) reason: String,
    pub(crate) detail: Option<String>,
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Expression, InvalidExpression> {
        match text.starts_with('$') {
            true => Ok(Expression::Path(Path::parse(text)?)),
            false => Ok(Expression::Intrinsic(Intrinsic::parse(text)?)),
        }
    }

    /// The expression's value. `field` is the name of the field in an error.
    pub(crate) fn evaluate<'v>(
        &self,
        field: &str,
        data: &'v Value,
        environment: &Environment<'_>,
    ) -> Result<Cow<'v, Value>, EngineError> {
        match self {
            Expression::Path(path) => find(path, data, environment).or_else(|miss| match miss {
                // Beyond the end of an array, the service gives null. It does so in expressions only.
                Miss::Last { beyond_end: true } => Ok(Cow::Owned(Value::Null)),
                miss => Err(not_found(path, miss, field, data, environment)),
            }),
            Expression::Intrinsic(intrinsic) => intrinsic.evaluate(data, environment).map(Cow::Owned),
        }
    }
}

impl Template {
    /// Parses a template. Each defect has the path of its field from the template.
    pub(crate) fn parse(value: &Value, defects: &mut Vec<(String, FieldDefect)>) -> Template {
        let (template, computes) = parse(value, "", defects);
        match computes {
            true => template,
            false => Template::Literal(value.clone()),
        }
    }

    /// Computes the template. It fails if the result is larger than the payload limit.
    pub(crate) fn fill(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, EngineError> {
        self.fill_within(&mut ByteBudget::new(environment.payload_bytes), data, environment)
    }

    fn fill_within(
        &self,
        budget: &mut ByteBudget,
        data: &Value,
        environment: &Environment<'_>,
    ) -> Result<Value, EngineError> {
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Array(items) => {
                let items = items.iter().map(|item| item.fill_within(budget, data, environment));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            Template::Object(fixed, fields) => {
                // A copy keeps the order of the fields, so their names need no lookup.
                let mut object = fixed.clone();
                for (value, field) in object.values_mut().zip(fields) {
                    match field {
                        Field::Fixed => {}
                        Field::Template(template) => *value = template.fill_within(budget, data, environment)?,
                        Field::Expression(name, expression) => {
                            let computed = expression.evaluate(name, data, environment)?;
                            if !budget.take(&computed) {
                                return Err(EngineError::too_large(environment.state));
                            }
                            *value = computed.into_owned();
                        }
                    }
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// The names of the top-level fields, which are the variables of an `Assign`.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Template::Literal(Value::Object(fields)) | Template::Object(fields, _) => {
                fields.keys().map(String::as_str).collect()
            }
            Template::Literal(_) | Template::Array(_) => Vec::new(),
        }
    }
}

fn parse(value: &Value, place: &str, defects: &mut Vec<(String, FieldDefect)>) -> (Template, bool) {
    match value {
        Value::Array(items) => {
            let parsed: Vec<_> = items
                .iter()
                .enumerate()
                .map(|(index, item)| parse(item, &format!("{place}[{index}]"), defects))
                .collect();
            let computes = parsed.iter().any(|(_, computes)| *computes);
            (Template::Array(parsed.into_iter().map(|(template, _)| template).collect()), computes)
        }
        Value::Object(fields) => {
            let mut computes = false;
            let (mut entries, mut computed) = (Vec::with_capacity(fields.len()), Vec::new());
            for (key, value) in fields {
                let place = invalid::field(place, key);
                let Some(name) = key.strip_suffix(".$") else {
                    let (template, inner_computes) = parse(value, &place, defects);
                    computes |= inner_computes;
                    let (fixed, field) = match inner_computes {
                        true => (Value::Null, Field::Template(template)),
                        false => (value.clone(), Field::Fixed),
                    };
                    entries.push((key.clone(), fixed, field));
                    continue;
                };
                computes = true;
                if fields.contains_key(name) {
                    let reason = format!("'{name}' is given twice, as '{name}' and as '{key}'");
                    defects.push((place.clone(), FieldDefect { reason, detail: None }));
                }
                match expression(key, value) {
                    Ok(expression) => computed.push((name.to_owned(), Field::Expression(key.clone(), expression))),
                    Err(defect) => defects.push((place, defect)),
                }
            }
            // The service's order of keys: computed fields come out of a Java hash map.
            java::sort_in_hash_order(&mut computed, java::INITIAL_BUCKETS, |(name, _)| java::hash_of_string(name));
            entries.extend(computed.into_iter().map(|(name, field)| (name, Value::Null, field)));
            let (fixed, fields) = entries.into_iter().map(|(name, value, field)| ((name, value), field)).unzip();
            (Template::Object(fixed, fields), computes)
        }
        scalar => (Template::Literal(scalar.clone()), false),
    }
}

fn expression(key: &str, value: &Value) -> Result<Expression, FieldDefect> {
    let defect = |detail| {
        let reason =
            format!("The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call");
        FieldDefect { reason, detail }
    };
    let text = value.as_str().ok_or_else(|| defect(None))?;
    Expression::parse(text).map_err(|error| defect(Some(error.to_string())))
}

/// Finds the value at a path, in the data, the context object or a variable.
pub(crate) fn find<'v>(path: &Path, data: &'v Value, environment: &Environment<'_>) -> Result<Cow<'v, Value>, Miss> {
    match &path.root {
        Root::Data => path.find(data),
        Root::Context => environment.find(path).map(Cow::Owned),
        Root::Variable(name) => match environment.scope.get(name) {
            Some(value) => path.find(&value).map(|found| Cow::Owned(found.into_owned())),
            None => Err(Miss::Last { beyond_end: false }),
        },
    }
}

/// The error for a path that finds no value.
pub(crate) fn not_found(
    path: &Path,
    miss: Miss,
    field: &str,
    data: &Value,
    environment: &Environment<'_>,
) -> EngineError {
    match miss {
        Miss::NullRoot => return EngineError::runtime("Unable to apply Path transformation to null or empty input."),
        Miss::TooLarge => return EngineError::too_large(environment.state),
        Miss::Last { .. } | Miss::Before(_) => {}
    }
    let searched = match &path.root {
        Root::Data => data.to_string(),
        Root::Context => environment.all().to_string(),
        Root::Variable(name) => match environment.scope.get(name) {
            Some(value) => value.to_string(),
            None => {
                return EngineError::runtime(format!(
                    "The variable '${name}' that the field '{field}' refers to has no value at this point"
                ));
            }
        },
    };
    EngineError::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{searched}'",
        path.rooted()
    ))
}
