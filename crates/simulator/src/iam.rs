//! Who may do what: each call is held against the policy of the function that makes it.
//!
//! A call needs leave for one action on each of its resources, and some need further actions: for tags on what is made,
//! for a role that is handed on. All of it must be allowed, or nothing happens. Conditions on tags see what the call
//! brings and what the resource carries; a resource that is not there carries none, so that who may touch only what is
//! tagged is told that it may not, rather than that there is nothing.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

mod arn;
mod ec2;
mod others;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use permissions::{By, Context, Decision, Key, Policy};
use serde_json::Value;

use crate::service::{Service, ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::{Body, Call};

/// What a context can have here. A policy that asks for anything else is refused.
const KEYS: [Key; 7] = [
    Key::Many("aws:TagKeys"),
    Key::OfTag("aws:RequestTag/"),
    Key::OfTag("aws:ResourceTag/"),
    Key::OfTag("ec2:ResourceTag/"),
    Key::OfTag("ssm:resourceTag/"),
    Key::One("ec2:CreateAction"),
    Key::One("iam:PassedToService"),
];

/// What each function may. Who has no policy here is not known, and may nothing.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    principals: BTreeMap<String, Principal>,
}

#[derive(Clone, Debug)]
struct Principal {
    arn: String,
    policy: Policy,
}

/// A piece of what a function may: an action or a resource in a statement of its policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The function.
    pub function: String,
    /// The statement's `Sid`, or its place.
    pub statement: String,
    /// The action or the resource, as the policy has it.
    pub piece: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} in {}", self.function, self.piece, self.statement)
    }
}

impl Grant {
    fn new(function: &str, (statement, piece): (&str, &str)) -> Grant {
        Grant { function: function.to_owned(), statement: statement.to_owned(), piece: piece.to_owned() }
    }
}

impl Permissions {
    /// Lets `function` do what the policy document allows, under the name `arn`.
    ///
    /// # Errors
    /// Names what in the document is not understood.
    pub fn add(&mut self, function: &str, arn: &str, document: &Value) -> Result<(), String> {
        let policy = Policy::read(document, &KEYS).map_err(|refusal| format!("{function}: {refusal}"))?;
        self.principals.insert(function.to_owned(), Principal { arn: arn.to_owned(), policy });
        Ok(())
    }

    /// All that is granted to anyone.
    #[must_use]
    pub fn grants(&self) -> BTreeSet<Grant> {
        let principals = self.principals.iter();
        principals.flat_map(|(name, one)| one.policy.grants().map(|grant| Grant::new(name, grant))).collect()
    }
}

/// The permissions of a rehearsal, and what of them was made use of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// None: everyone may everything.
    permissions: Option<Arc<Permissions>>,
    used: BTreeMap<String, BTreeSet<By>>,
}

impl Guard {
    pub(crate) fn new(permissions: Arc<Permissions>) -> Guard {
        Guard { permissions: Some(permissions), used: BTreeMap::new() }
    }

    pub(crate) fn stands(&self) -> bool {
        self.permissions.is_some()
    }

    /// The grants that allowed a call.
    pub(crate) fn used(&self) -> BTreeSet<Grant> {
        let Some(permissions) = &self.permissions else { return BTreeSet::new() };
        let each = self.used.iter().flat_map(|(name, used)| used.iter().map(move |by| (name, *by)));
        let pieces = each.flat_map(|(name, by)| {
            permissions.principals[name].policy.grants_by(by).map(|grant| Grant::new(name, grant))
        });
        pieces.collect()
    }

    /// Whether `function` may do this; if not, in IAM's words.
    fn decide(&mut self, function: &str, need: &Need) -> Result<(), Denial> {
        let Some(permissions) = self.permissions.as_deref() else { return Ok(()) };
        let Some(principal) = permissions.principals.get(function) else {
            return Err(Denial::Unknown);
        };
        let why = match principal.policy.decide(&need.action, &need.resource, &need.context) {
            Decision::Allowed(by) => {
                match self.used.get_mut(function) {
                    Some(used) => used.insert(by),
                    None => self.used.entry(function.to_owned()).or_default().insert(by),
                };
                return Ok(());
            }
            Decision::NotAllowed => format!("because no identity-based policy allows the {} action", need.action),
            Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        };
        Err(Denial::Said(format!(
            "User: {} is not authorized to perform: {} on resource: {} {why}",
            principal.arn, need.action, need.resource
        )))
    }
}

enum Denial {
    /// Nobody has said what the caller may.
    Unknown,
    /// In IAM's words.
    Said(String),
}

/// One thing that a call needs leave for.
#[derive(Clone, Debug)]
struct Need {
    action: Cow<'static, str>,
    /// An ARN, or `*` for an action that takes none.
    resource: Cow<'static, str>,
    context: Context,
    /// Whether the resource is there.
    there: bool,
}

impl Need {
    /// An action that takes no resource.
    fn of_all(action: String) -> Need {
        Need { action: action.into(), resource: "*".into(), context: Context::default(), there: true }
    }

    /// An action on a resource.
    fn on(action: &'static str, resource: String) -> Need {
        Need { action: action.into(), resource: resource.into(), context: Context::default(), there: true }
    }

    fn with(self, key: &str, value: &str) -> Need {
        Need { context: self.context.with(key, value), ..self }
    }

    /// The tags that the call puts on the resource.
    fn bringing(self, tags: &BTreeMap<String, String>) -> Need {
        let need = self.bringing_keys(tags.keys().map(String::as_str));
        tags.iter().fold(need, |need, (key, value)| need.with(&format!("aws:RequestTag/{key}"), value))
    }

    /// The keys of tags that the call takes off the resource.
    fn bringing_keys<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Need {
        Need { context: self.context.with_all("aws:TagKeys", keys), ..self }
    }

    /// The tags that the resource carries, under the names that these services have for them; `None` if it is not there.
    fn carrying(self, tags: Option<&BTreeMap<String, String>>) -> Need {
        let Some(tags) = tags else { return Need { there: false, ..self } };
        tags.iter().fold(self, |need, (key, value)| {
            let names = ["aws:ResourceTag", "ec2:ResourceTag", "ssm:resourceTag"];
            names.iter().fold(need, |need, name| need.with(&format!("{name}/{key}"), value))
        })
    }
}

impl State {
    /// Lets the call through if its caller may make it.
    pub(crate) fn authorize(&mut self, call: &Call) -> Result<(), ServiceError> {
        if !self.guard.stands() {
            return Ok(());
        }
        for need in needs(self, call)? {
            self.authorize_one(call.service, &need)?;
        }
        Ok(())
    }

    fn authorize_one(&mut self, service: Service, need: &Need) -> Result<(), ServiceError> {
        self.guard.decide(&self.caller.function, need).map_err(|denial| match denial {
            Denial::Unknown => unsupported(format_args!("what '{}' may: it has no policy", self.caller.function)),
            Denial::Said(why) => {
                // That a policy denies what is gone does not make it too tight.
                if need.there {
                    self.journal.denied.insert(why.clone());
                }
                service.denied(&why)
            }
        })
    }

    /// Whether the caller may delete this snapshot, which a call that it may make would do in its name.
    pub(crate) fn may_delete_snapshot(&mut self, snapshot: usize) -> bool {
        let need = ec2::delete_snapshot(self, &self.ec2.snapshots[snapshot]);
        self.authorize_one(Service::Ec2, &need).is_ok()
    }
}

/// Everything a call needs leave for.
fn needs(state: &State, call: &Call) -> Result<Vec<Need>, ServiceError> {
    let operation = &*call.operation;
    match (call.service, &call.body) {
        (Service::Ec2, Body::Form(form)) => ec2::needs(state, operation, form),
        (Service::LoadBalancing, Body::Form(form)) => Ok(others::load_balancing(operation, form)),
        (Service::Rds, Body::Form(form)) => others::rds(state, operation, form),
        (Service::SystemsManager, Body::Fields(fields)) => others::systems_manager(state, operation, fields),
        (Service::CloudWatch, Body::Fields(fields)) => others::cloudwatch(state, operation, fields),
        (Service::DynamoDb, Body::Fields(fields)) => others::dynamodb(state, operation, fields),
        (service, _) => Err(unsupported(format_args!("this format for {service:?}"))),
    }
}

impl Service {
    /// How the service says that IAM does not let the caller.
    fn denied(self, why: &str) -> ServiceError {
        match self {
            Service::Ec2 => ServiceError {
                status: 403,
                ..refuse("UnauthorizedOperation", format!("You are not authorized to perform this operation. {why}."))
            },
            Service::LoadBalancing | Service::Rds | Service::CloudWatch => {
                ServiceError { status: 403, ..refuse("AccessDenied", why) }
            }
            Service::SystemsManager | Service::DynamoDb => refuse("AccessDeniedException", why),
        }
    }
}
