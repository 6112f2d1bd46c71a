//! Policy documents.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::context::{Context, Key};
use crate::pattern::{arn_fields, arn_like, like};

/// A policy, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    /// The `Sid`, or else the number of the statement, counted from 1.
    name: String,
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// Why a policy cannot be evaluated. The text names the first part that is invalid or not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot evaluate the policy: {0}")]
pub struct PolicyError(Problem);

impl From<Problem> for PolicyError {
    fn from(problem: Problem) -> PolicyError {
        PolicyError(problem)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("unsupported version {0}")]
    Version(String),
    #[error("it has no {0}")]
    MissingFromPolicy(&'static str),
    #[error("a statement has no {0}")]
    MissingFromStatement(&'static str),
    #[error("unsupported element {0}")]
    Element(String),
    #[error("unsupported value of {element}: {value}")]
    Value { element: String, value: Value },
    #[error("invalid action {0}")]
    Action(String),
    #[error("invalid resource {0}")]
    Resource(String),
    #[error("unsupported policy variable in {0}")]
    Variable(String),
    #[error("unsupported condition key {0}")]
    ConditionKey(String),
    #[error("unsupported condition operator {0}")]
    Operator(String),
    #[error("unsupported condition: {operator} on {key}, which has any number of values")]
    OneOfMany { operator: String, key: String },
    #[error("unsupported condition: {operator} on {key}, which has one value")]
    SetOfOne { operator: String, key: String },
    #[error("invalid ARN {0}")]
    Arn(String),
}

impl Problem {
    pub(crate) fn value(element: &str, value: &Value) -> Problem {
        Problem::Value { element: element.to_owned(), value: value.clone() }
    }
}

/// A policy's decision on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows the call, and none denies it. The value names the first such statement.
    Allowed(By),
    /// No statement allows or denies the call.
    NotAllowed,
    /// A statement denies the call. That other statements allow it makes no difference.
    Denied,
}

/// The statement that allowed a call, and the indices of its action and its resource that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct By {
    statement: usize,
    action: usize,
    resource: usize,
}

impl Policy {
    /// Reads a policy document. Its conditions can use `keys` only.
    ///
    /// # Errors
    /// The first part of the document that is invalid or not supported.
    pub fn read(document: &Value, keys: &[Key]) -> Result<Policy, PolicyError> {
        let document = elements("the policy", document, &["Version", "Id", "Statement"])?;
        match document.get("Version").and_then(Value::as_str) {
            Some("2012-10-17") => {}
            Some(other) => return Err(Problem::Version(other.to_owned()).into()),
            None => return Err(Problem::MissingFromPolicy("Version").into()),
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(Problem::MissingFromPolicy("Statement").into()),
        };
        let read = |(index, statement)| Statement::read(index, statement, keys);
        Ok(Policy { statements: statements.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// Decides on a call of `action` on `resource`. A resource is an ARN, or `*` for an action that takes no resource.
    #[must_use]
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut decision = Decision::NotAllowed;
        for (index, statement) in self.statements.iter().enumerate() {
            if statement.allows && decision != Decision::NotAllowed {
                continue;
            }
            let Some((action, resource)) = statement.matches(action, resource, context) else { continue };
            if !statement.allows {
                return Decision::Denied;
            }
            decision = Decision::Allowed(By { statement: index, action, resource });
        }
        decision
    }

    /// The parts of all statements that allow something: the name of the statement, and one of its actions or resources.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &str)> {
        self.statements.iter().filter(|statement| statement.allows).flat_map(|statement| {
            let parts = statement.actions.iter().chain(&statement.resources);
            parts.map(|part| (statement.name.as_str(), part.as_str()))
        })
    }

    /// The action and the resource that allowed a call, each with the name of their statement.
    #[must_use]
    pub fn grants_by(&self, by: By) -> [(&str, &str); 2] {
        let statement = &self.statements[by.statement];
        [&statement.actions[by.action], &statement.resources[by.resource]]
            .map(|part| (statement.name.as_str(), part.as_str()))
    }
}

impl Statement {
    fn read(index: usize, statement: &Value, keys: &[Key]) -> Result<Statement, Problem> {
        let fields = elements("a statement", statement, &["Sid", "Effect", "Action", "Resource", "Condition"])?;
        let field = |name| fields.get(name).ok_or(Problem::MissingFromStatement(name));
        let name = match fields.get("Sid") {
            None => (index + 1).to_string(),
            Some(Value::String(sid)) => sid.clone(),
            Some(other) => return Err(Problem::value("Sid", other)),
        };
        let allows = match field("Effect")?.as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(Problem::value("Effect", field("Effect")?)),
        };
        let actions = strings("Action", field("Action")?)?;
        for action in &actions {
            let service = action.split_once(':').map_or(action.as_str(), |(service, _)| service);
            if *action != "*" && (service == action || service.contains(['*', '?'])) {
                return Err(Problem::Action(action.clone()));
            }
        }
        let resources = strings("Resource", field("Resource")?)?;
        if let Some(invalid) = resources.iter().find(|resource| *resource != "*" && arn_fields(resource).is_none()) {
            return Err(Problem::Resource(invalid.clone()));
        }
        let conditions = match fields.get("Condition") {
            None => Vec::new(),
            Some(block) => Condition::read_all(block, keys)?,
        };
        Ok(Statement { name, allows, actions, resources, conditions })
    }

    fn matches(&self, action: &str, resource: &str, context: &Context) -> Option<(usize, usize)> {
        let is_action = |pattern: &String| {
            pattern.eq_ignore_ascii_case(action)
                || (pattern.contains(['*', '?']) && like(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
        };
        let is_resource = |pattern: &String| pattern == "*" || arn_like(pattern, resource);
        let action = self.actions.iter().position(is_action)?;
        let resource = self.resources.iter().position(is_resource)?;
        self.conditions.iter().all(|condition| condition.holds(context)).then_some((action, resource))
    }
}

/// The elements of an object. It fails on an element that is not `known`.
fn elements<'a>(what: &str, value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Problem> {
    let Some(fields) = value.as_object() else { return Err(Problem::value(what, value)) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Problem::Element(name.clone())),
        None => Ok(fields),
    }
}

/// The strings of an element, which can be one string or an array of strings.
pub(crate) fn strings(element: &str, value: &Value) -> Result<Vec<String>, Problem> {
    let values = match value {
        Value::Array(values) if !values.is_empty() => values.as_slice(),
        one @ Value::String(_) => std::slice::from_ref(one),
        other => return Err(Problem::value(element, other)),
    };
    let read = |value: &Value| match value {
        Value::String(text) if text.contains("${") => Err(Problem::Variable(text.clone())),
        Value::String(text) => Ok(text.clone()),
        other => Err(Problem::value(element, other)),
    };
    values.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEYS: [Key; 1] = [Key::OfTag("ec2:ResourceTag/")];
    const INSTANCE: &str = "arn:aws:ec2:eu-central-1:123456789012:instance/i-1";

    fn statement(effect: &str, action: Value, resource: Value) -> Value {
        json!({"Effect": effect, "Action": action, "Resource": resource})
    }

    fn policy(statements: &[Value]) -> Policy {
        Policy::read(&json!({"Version": "2012-10-17", "Statement": statements}), &KEYS).unwrap()
    }

    fn allows(policy: &Policy, action: &str, resource: &str) -> bool {
        matches!(policy.decide(action, resource, &Context::default()), Decision::Allowed(_))
    }

    #[test]
    fn an_action_is_allowed_only_on_the_resources_of_its_statement() {
        let policy = policy(&[
            statement("Allow", json!(["ec2:StopInstances", "EC2:describe*"]), json!("arn:aws:ec2:*:*:instance/*")),
            statement("Allow", json!("ec2:DescribeInstances"), json!("*")),
        ]);
        assert!(allows(&policy, "ec2:StopInstances", INSTANCE));
        assert!(allows(&policy, "ec2:stopinstances", INSTANCE));
        assert!(allows(&policy, "ec2:DescribeInstances", "*"));
        // An action that takes no resource needs a statement for all resources.
        assert!(!allows(&policy, "ec2:DescribeImages", "*"));
        assert!(!allows(&policy, "ec2:StopInstances", "*"));
        assert!(!allows(&policy, "ec2:StartInstances", INSTANCE));
        assert!(!allows(&policy, "ec2:StopInstances", "arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"));
    }

    #[test]
    fn a_deny_statement_overrides_every_allow_statement() {
        let everything = statement("Allow", json!("*"), json!("*"));
        let denial = statement("Deny", json!("ec2:Terminate*"), json!("*"));
        for statements in [[everything.clone(), denial.clone()], [denial, everything]] {
            let policy = policy(&statements);
            let decide = |action| policy.decide(action, INSTANCE, &Context::default());
            assert_eq!(decide("ec2:TerminateInstances"), Decision::Denied);
            assert!(matches!(decide("ec2:StopInstances"), Decision::Allowed(_)));
        }
    }

    #[test]
    fn every_condition_must_hold() {
        let mut stop = statement("Allow", json!("ec2:StopInstances"), json!("*"));
        stop["Condition"] = json!({
            "StringEquals": {"ec2:ResourceTag/fleet": ["a", "b"], "ec2:ResourceTag/role": "builder"},
            "StringLike": {"ec2:ResourceTag/run": "?*"},
        });
        let policy = policy(&[stop]);
        let decide = |tags: &[(&str, &str)]| {
            let context = tags.iter().fold(Context::default(), |context, (key, value)| {
                context.with(&format!("ec2:ResourceTag/{key}"), value)
            });
            policy.decide("ec2:StopInstances", INSTANCE, &context)
        };
        assert!(matches!(decide(&[("fleet", "b"), ("role", "builder"), ("run", "1")]), Decision::Allowed(_)));
        assert_eq!(decide(&[("fleet", "b"), ("role", "member"), ("run", "1")]), Decision::NotAllowed);
        assert_eq!(decide(&[("fleet", "b"), ("role", "builder")]), Decision::NotAllowed);
        assert_eq!(decide(&[]), Decision::NotAllowed);
    }

    #[test]
    fn a_decision_names_the_statement_the_action_and_the_resource() {
        let mut both =
            statement("Allow", json!(["ec2:StartInstances", "ec2:StopInstances"]), json!(["arn:aws:ec2:::a", "*"]));
        both["Sid"] = json!("Both");
        let policy = policy(&[both]);
        let Decision::Allowed(by) = policy.decide("ec2:StopInstances", INSTANCE, &Context::default()) else { panic!() };
        assert_eq!(policy.grants_by(by), [("Both", "ec2:StopInstances"), ("Both", "*")]);
        assert_eq!(policy.grants().count(), 4);
    }

    #[test]
    fn an_error_names_the_unsupported_part() {
        let good = statement("Allow", json!("ec2:StopInstances"), json!("*"));
        let with = |name: &str, value: Value| {
            let mut statement = good.clone();
            statement[name] = value;
            json!({"Version": "2012-10-17", "Statement": statement})
        };
        for (document, problem) in [
            (json!({"Version": "2008-10-17", "Statement": good}), "unsupported version 2008-10-17"),
            (json!({"Statement": good}), "it has no Version"),
            (json!({"Version": "2012-10-17"}), "it has no Statement"),
            (json!({"Version": "2012-10-17", "Statement": good, "Statements": []}), "unsupported element Statements"),
            (with("NotAction", json!("ec2:*")), "unsupported element NotAction"),
            (with("Conditions", json!({})), "unsupported element Conditions"),
            (with("Effect", json!("allow")), "value of Effect: \"allow\""),
            (with("Action", json!(["ec2:A", 1])), "value of Action: 1"),
            (with("Action", json!([])), "value of Action: []"),
            (with("Action", json!("StopInstances")), "invalid action StopInstances"),
            (with("Action", json!("e*:StopInstances")), "invalid action e*:StopInstances"),
            (with("Resource", json!("i-1")), "invalid resource i-1"),
            (with("Resource", json!("arn:aws:ec2:${aws:username}::x")), "unsupported policy variable in"),
        ] {
            let message = Policy::read(&document, &KEYS).unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
