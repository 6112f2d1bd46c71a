//! Payload templates: JSON in which a key that ends in `.$` is computed.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::context::Environment;
use crate::fault::Fault;
use crate::intrinsic::Intrinsic;
use crate::invalid;
use crate::java;
use crate::path::{Miss, Path, Root};
use crate::size::Room;

/// A parsed payload template.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// Without anything to compute.
    Literal(Value),
    Array(Vec<Template>),
    /// With the value of each field that is not computed, and what becomes of each field, in the same order.
    Object(Map<String, Value>, Vec<Field>),
}

/// One field of an object in a template.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Fixed,
    Template(Template),
    /// With the field's name as written, for errors.
    Expression(String, Expression),
}

/// What stands behind a key that ends in `.$`.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Path(Path),
    Intrinsic(Intrinsic),
}

/// What is wrong with a field of a template, in the service's words, and what it does not tell of it.
pub(crate) struct Misfit {
    pub(crate) reason: String,
    pub(crate) detail: Option<String>,
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Expression, String> {
        match text.starts_with('$') {
            true => Path::parse(text).map(Expression::Path),
            false => Intrinsic::parse(text).map(Expression::Intrinsic),
        }
    }

    /// Its value. `field` is the name that an error gives the place.
    pub(crate) fn evaluate<'v>(
        &self,
        field: &str,
        data: &'v Value,
        environment: &Environment<'_>,
    ) -> Result<Cow<'v, Value>, Fault> {
        match self {
            Expression::Path(path) => find(path, data, environment).or_else(|miss| match miss {
                // The service answers null beyond the end of an array, here and nowhere else.
                Miss::Last { beyond_end: true } => Ok(Cow::Owned(Value::Null)),
                miss => Err(not_found(path, miss, field, data, environment)),
            }),
            Expression::Intrinsic(intrinsic) => intrinsic.evaluate(data, environment).map(Cow::Owned),
        }
    }
}

impl Template {
    /// Reads a template. Each defect comes with the keys and indices that lead to it.
    pub(crate) fn parse(value: &Value, defects: &mut Vec<(String, Misfit)>) -> Template {
        let (template, computes) = parse(value, "", defects);
        match computes {
            true => template,
            false => Template::Literal(value.clone()),
        }
    }

    /// The template with everything in it computed, if that is not too large.
    pub(crate) fn fill(&self, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
        self.fill_within(&mut Room::of(environment.payload_bytes), data, environment)
    }

    fn fill_within(&self, room: &mut Room, data: &Value, environment: &Environment<'_>) -> Result<Value, Fault> {
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Array(items) => {
                let items = items.iter().map(|item| item.fill_within(room, data, environment));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            Template::Object(fixed, fields) => {
                // Names are not looked up again in a copy.
                let mut object = fixed.clone();
                for (value, field) in object.values_mut().zip(fields) {
                    match field {
                        Field::Fixed => {}
                        Field::Template(template) => *value = template.fill_within(room, data, environment)?,
                        Field::Expression(name, expression) => {
                            let computed = expression.evaluate(name, data, environment)?;
                            if !room.take(&computed) {
                                return Err(Fault::too_large(environment.state));
                            }
                            *value = computed.into_owned();
                        }
                    }
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// The names of its top-level fields: the variables, if it is an `Assign`.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Template::Literal(Value::Object(fields)) | Template::Object(fields, _) => {
                fields.keys().map(String::as_str).collect()
            }
            Template::Literal(_) | Template::Array(_) => Vec::new(),
        }
    }
}

fn parse(value: &Value, place: &str, defects: &mut Vec<(String, Misfit)>) -> (Template, bool) {
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
                    defects.push((place.clone(), Misfit { reason, detail: None }));
                }
                match expression(key, value) {
                    Ok(expression) => computed.push((name.to_owned(), Field::Expression(key.clone(), expression))),
                    Err(misfit) => defects.push((place, misfit)),
                }
            }
            // The service's order: what is computed comes out of a hash map.
            java::in_hash_order(&mut computed, java::BUCKETS, |(name, _)| java::hash_of_text(name));
            entries.extend(computed.into_iter().map(|(name, field)| (name, Value::Null, field)));
            let (fixed, fields) = entries.into_iter().map(|(name, value, field)| ((name, value), field)).unzip();
            (Template::Object(fixed, fields), computes)
        }
        scalar => (Template::Literal(scalar.clone()), false),
    }
}

fn expression(key: &str, value: &Value) -> Result<Expression, Misfit> {
    let misfit = |detail| {
        let reason =
            format!("The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call");
        Misfit { reason, detail }
    };
    let text = value.as_str().ok_or_else(|| misfit(None))?;
    Expression::parse(text).map_err(|detail| misfit(Some(detail)))
}

/// Follows a path from wherever it starts.
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

/// The error for a path that leads nowhere.
pub(crate) fn not_found(path: &Path, miss: Miss, field: &str, data: &Value, environment: &Environment<'_>) -> Fault {
    match miss {
        Miss::NullRoot => return Fault::runtime("Unable to apply Path transformation to null or empty input."),
        Miss::TooLarge => return Fault::too_large(environment.state),
        Miss::Last { .. } | Miss::Before(_) => {}
    }
    let searched = match &path.root {
        Root::Data => data.to_string(),
        Root::Context => environment.all().to_string(),
        Root::Variable(name) => match environment.scope.get(name) {
            Some(value) => value.to_string(),
            None => {
                return Fault::runtime(format!(
                    "The variable '${name}' that the field '{field}' refers to has no value at this point"
                ));
            }
        },
    };
    Fault::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{searched}'",
        path.rooted()
    ))
}
