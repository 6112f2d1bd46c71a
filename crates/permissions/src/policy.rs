//! Policy documents.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::context::{Context, Key};
use crate::pattern::{arn_fields, arn_like, like};

/// A policy that was read.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    /// Its `Sid`, or its place.
    name: String,
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// What is not understood here, in words that follow "does not know".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy is not understood: {0}")]
pub struct Refusal(pub(crate) String);

impl Refusal {
    pub(crate) fn of(what: &str, value: &Value) -> Refusal {
        Refusal(format!("{what} {value}"))
    }
}

/// What a policy says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This allows it, the first that does, and nothing denies it.
    Allowed(By),
    /// Nothing allows it.
    NotAllowed,
    /// A statement denies it, whatever else allows it.
    Denied,
}

/// What decided: a statement, and the places of the action and the resource in it that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct By {
    statement: usize,
    action: usize,
    resource: usize,
}

impl Policy {
    /// Reads a document. A condition may ask for `keys` and no others.
    ///
    /// # Errors
    /// Names the first thing in it that is not understood.
    pub fn read(document: &Value, keys: &[Key]) -> Result<Policy, Refusal> {
        let document = elements("the document", document, &["Version", "Id", "Statement"])?;
        match document.get("Version").and_then(Value::as_str) {
            Some("2012-10-17") => {}
            other => return Err(Refusal(format!("the version {}", other.unwrap_or("of a document without one")))),
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(Refusal("a document without statements".to_owned())),
        };
        let read = |(place, statement)| Statement::read(place, statement, keys);
        Ok(Policy { statements: statements.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// Decides whether `action` may be done to `resource`: an ARN, or `*` for an action that takes none.
    #[must_use]
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut decision = Decision::NotAllowed;
        for (place, statement) in self.statements.iter().enumerate() {
            let undecided = decision == Decision::NotAllowed;
            if statement.allows && !undecided {
                continue;
            }
            let Some((action, resource)) = statement.matches(action, resource, context) else { continue };
            if !statement.allows {
                return Decision::Denied;
            }
            decision = Decision::Allowed(By { statement: place, action, resource });
        }
        decision
    }

    /// All that the policy allows, piece by piece: the name of a statement, and one of its actions or resources.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &str)> {
        self.statements.iter().filter(|statement| statement.allows).flat_map(|statement| {
            let pieces = statement.actions.iter().chain(&statement.resources);
            pieces.map(|piece| (statement.name.as_str(), piece.as_str()))
        })
    }

    /// The pieces that a decision came from.
    #[must_use]
    pub fn grants_by(&self, by: By) -> [(&str, &str); 2] {
        let statement = &self.statements[by.statement];
        [&statement.actions[by.action], &statement.resources[by.resource]]
            .map(|piece| (statement.name.as_str(), piece.as_str()))
    }
}

impl Statement {
    fn read(place: usize, statement: &Value, keys: &[Key]) -> Result<Statement, Refusal> {
        let fields = elements("the statement", statement, &["Sid", "Effect", "Action", "Resource", "Condition"])?;
        let field = |name: &str| fields.get(name).ok_or_else(|| Refusal(format!("a statement without {name}")));
        let name = match fields.get("Sid") {
            None => (place + 1).to_string(),
            Some(Value::String(sid)) => sid.clone(),
            Some(other) => return Err(Refusal::of("the Sid", other)),
        };
        let allows = match field("Effect")?.as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(Refusal::of("the effect", field("Effect")?)),
        };
        let actions = strings("Action", field("Action")?)?;
        for action in &actions {
            let service = action.split_once(':').map_or(action.as_str(), |(service, _)| service);
            if *action != "*" && (service == action || service.contains(['*', '?'])) {
                return Err(Refusal(format!("the action {action}")));
            }
        }
        let resources = strings("Resource", field("Resource")?)?;
        if let Some(odd) = resources.iter().find(|resource| *resource != "*" && arn_fields(resource).is_none()) {
            return Err(Refusal(format!("the resource {odd}")));
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

/// The elements of an object, all of which are `known`.
fn elements<'a>(what: &str, value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let Some(fields) = value.as_object() else { return Err(Refusal::of(what, value)) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal(format!("the element {name}"))),
        None => Ok(fields),
    }
}

/// One string or several.
pub(crate) fn strings(what: &str, value: &Value) -> Result<Vec<String>, Refusal> {
    let values = match value {
        Value::Array(values) if !values.is_empty() => values.as_slice(),
        one @ Value::String(_) => std::slice::from_ref(one),
        other => return Err(Refusal::of(what, other)),
    };
    let read = |value: &Value| match value {
        Value::String(text) if text.contains("${") => Err(Refusal(format!("the variable in {text}"))),
        Value::String(text) => Ok(text.clone()),
        other => Err(Refusal::of(what, other)),
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
    fn an_action_is_allowed_on_the_resources_it_is_allowed_on() {
        let policy = policy(&[
            statement("Allow", json!(["ec2:StopInstances", "EC2:describe*"]), json!("arn:aws:ec2:*:*:instance/*")),
            statement("Allow", json!("ec2:DescribeInstances"), json!("*")),
        ]);
        assert!(allows(&policy, "ec2:StopInstances", INSTANCE));
        assert!(allows(&policy, "ec2:stopinstances", INSTANCE));
        assert!(allows(&policy, "ec2:DescribeInstances", "*"));
        // An action that takes no resource is allowed on all of them only.
        assert!(!allows(&policy, "ec2:DescribeImages", "*"));
        assert!(!allows(&policy, "ec2:StopInstances", "*"));
        assert!(!allows(&policy, "ec2:StartInstances", INSTANCE));
        assert!(!allows(&policy, "ec2:StopInstances", "arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"));
    }

    #[test]
    fn a_denial_outweighs_whatever_allows() {
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
    fn every_condition_has_to_hold() {
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
    fn what_allowed_a_call_is_told_piece_by_piece() {
        let mut both =
            statement("Allow", json!(["ec2:StartInstances", "ec2:StopInstances"]), json!(["arn:aws:ec2:::a", "*"]));
        both["Sid"] = json!("Both");
        let policy = policy(&[both]);
        let Decision::Allowed(by) = policy.decide("ec2:StopInstances", INSTANCE, &Context::default()) else { panic!() };
        assert_eq!(policy.grants_by(by), [("Both", "ec2:StopInstances"), ("Both", "*")]);
        assert_eq!(policy.grants().count(), 4);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let good = statement("Allow", json!("ec2:StopInstances"), json!("*"));
        let with = |name: &str, value: Value| {
            let mut statement = good.clone();
            statement[name] = value;
            json!({"Version": "2012-10-17", "Statement": statement})
        };
        for (document, refusal) in [
            (json!({"Version": "2008-10-17", "Statement": good}), "the version 2008-10-17"),
            (json!({"Statement": good}), "the version of a document without one"),
            (json!({"Version": "2012-10-17"}), "a document without statements"),
            (json!({"Version": "2012-10-17", "Statement": good, "Statements": []}), "the element Statements"),
            (with("NotAction", json!("ec2:*")), "the element NotAction"),
            (with("Conditions", json!({})), "the element Conditions"),
            (with("Effect", json!("allow")), "the effect \"allow\""),
            (with("Action", json!(["ec2:A", 1])), "Action 1"),
            (with("Action", json!([])), "Action []"),
            (with("Action", json!("StopInstances")), "the action StopInstances"),
            (with("Action", json!("e*:StopInstances")), "the action e*:StopInstances"),
            (with("Resource", json!("i-1")), "the resource i-1"),
            (with("Resource", json!("arn:aws:ec2:${aws:username}::x")), "the variable in"),
        ] {
            let message = Policy::read(&document, &KEYS).unwrap_err().to_string();
            assert!(message.contains(refusal), "{message}");
        }
    }
}
