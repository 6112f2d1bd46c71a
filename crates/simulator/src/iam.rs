//! IAM: checks each call against the policy of the function that makes it.
//!
//! A call requires one action on each of its resources. Some calls require further actions, for tags on a new resource
//! or for a role that they pass on. If one of them is not allowed, nothing happens. Conditions on tags see the tags of
//! the request and the tags of the resource. A missing resource has no tags. So a caller
//! that may change only tagged resources is denied a change of a missing one. It does not learn that the resource is
//! missing.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

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
use crate::world::World;

/// The condition keys that a request can have. A policy that uses another key is refused.
const KEYS: [Key; 7] = [
    Key::Many("aws:TagKeys"),
    Key::OfTag("aws:RequestTag/"),
    Key::OfTag("aws:ResourceTag/"),
    Key::OfTag("ec2:ResourceTag/"),
    Key::OfTag("ssm:resourceTag/"),
    Key::One("ec2:CreateAction"),
    Key::One("iam:PassedToService"),
];

/// The policy of each function. A function without a policy is refused every call.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    principals: BTreeMap<String, Principal>,
}

/// Why a policy cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy document has an element that is not understood.
    #[error("{function}: {source}")]
    Unreadable {
        /// The function that the policy belongs to.
        function: String,
        /// The element that is not understood.
        source: permissions::PolicyError,
    },
}

#[derive(Clone, Debug)]
struct Principal {
    arn: String,
    policy: Policy,
}

/// One action or one resource in a statement of a function's policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The function that has the policy.
    pub function: String,
    /// The statement's `Sid`, or its position.
    pub statement: String,
    /// The action or the resource, as the policy spells it.
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
    /// Gives `function` the policy `document`. `arn` is the name of the caller in denials. A second call for the same
    /// function replaces the policy.
    ///
    /// # Errors
    /// [`PolicyError`] if the document has an element that is not understood.
    pub fn add(&mut self, function: &str, arn: &str, document: &Value) -> Result<(), PolicyError> {
        let unreadable = |source| PolicyError::Unreadable { function: function.to_owned(), source };
        let policy = Policy::read(document, &KEYS).map_err(unreadable)?;
        self.principals.insert(function.to_owned(), Principal { arn: arn.to_owned(), policy });
        Ok(())
    }

    /// Every grant of every function.
    #[must_use]
    pub fn grants(&self) -> BTreeSet<Grant> {
        let principals = self.principals.iter();
        principals.flat_map(|(name, one)| one.policy.grants().map(|grant| Grant::new(name, grant))).collect()
    }
}

/// The permissions of a rehearsal, and which of their grants were used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorizer {
    /// `None` allows all calls.
    permissions: Option<Arc<Permissions>>,
    used: BTreeMap<String, BTreeSet<By>>,
}

impl Authorizer {
    pub(crate) fn new(permissions: Arc<Permissions>) -> Authorizer {
        Authorizer { permissions: Some(permissions), used: BTreeMap::new() }
    }

    pub(crate) fn is_enforced(&self) -> bool {
        self.permissions.is_some()
    }

    /// The grants that have allowed a call.
    pub(crate) fn used(&self) -> BTreeSet<Grant> {
        let Some(permissions) = &self.permissions else { return BTreeSet::new() };
        let each = self.used.iter().flat_map(|(name, used)| used.iter().map(move |by| (name, *by)));
        let pieces = each.flat_map(|(name, by)| {
            permissions.principals[name].policy.grants_by(by).map(|grant| Grant::new(name, grant))
        });
        pieces.collect()
    }

    /// Whether `function` has the permission. A denial has IAM's words.
    fn decide(&mut self, function: &str, permission: &RequiredPermission) -> Result<(), Denial> {
        let Some(permissions) = self.permissions.as_deref() else { return Ok(()) };
        let Some(principal) = permissions.principals.get(function) else {
            return Err(Denial::NoPolicy);
        };
        let why = match principal.policy.decide(&permission.action, &permission.resource, &permission.context) {
            Decision::Allowed(by) => {
                match self.used.get_mut(function) {
                    Some(used) => used.insert(by),
                    None => self.used.entry(function.to_owned()).or_default().insert(by),
                };
                return Ok(());
            }
            Decision::NotAllowed => format!("because no identity-based policy allows the {} action", permission.action),
            Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        };
        Err(Denial::Denied(format!(
            "User: {} is not authorized to perform: {} on resource: {} {why}",
            principal.arn, permission.action, permission.resource
        )))
    }
}

enum Denial {
    /// The caller has no policy.
    NoPolicy,
    /// The policy does not allow the call. The text has IAM's words.
    Denied(String),
}

/// One permission that a call requires.
#[derive(Clone, Debug)]
struct RequiredPermission {
    action: Cow<'static, str>,
    /// An ARN, or `*` for an action that has no resource.
    resource: Cow<'static, str>,
    context: Context,
    /// Whether the resource exists.
    exists: bool,
}

impl RequiredPermission {
    /// An action that has no resource.
    fn on_all(action: String) -> RequiredPermission {
        RequiredPermission { action: action.into(), resource: "*".into(), context: Context::default(), exists: true }
    }

    /// An action on a resource.
    fn on(action: &'static str, resource: String) -> RequiredPermission {
        RequiredPermission {
            action: action.into(),
            resource: resource.into(),
            context: Context::default(),
            exists: true,
        }
    }

    fn with_context(self, key: &str, value: &str) -> RequiredPermission {
        RequiredPermission { context: self.context.with(key, value), ..self }
    }

    /// Adds the tags that the call puts on the resource.
    fn with_request_tags(self, tags: &BTreeMap<String, String>) -> RequiredPermission {
        let permission = self.with_tag_keys(tags.keys().map(String::as_str));
        tags.iter().fold(permission, |permission, (key, value)| {
            permission.with_context(&format!("aws:RequestTag/{key}"), value)
        })
    }

    /// Adds the keys of the tags that the call sets or removes.
    fn with_tag_keys<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> RequiredPermission {
        RequiredPermission { context: self.context.with_all("aws:TagKeys", keys), ..self }
    }

    /// Adds the tags of the resource, under the condition key of each service. `None` means that the resource does not
    /// exist.
    fn with_resource_tags(self, tags: Option<&BTreeMap<String, String>>) -> RequiredPermission {
        let Some(tags) = tags else { return RequiredPermission { exists: false, ..self } };
        tags.iter().fold(self, |permission, (key, value)| {
            let names = ["aws:ResourceTag", "ec2:ResourceTag", "ssm:resourceTag"];
            names.iter().fold(permission, |permission, name| permission.with_context(&format!("{name}/{key}"), value))
        })
    }
}

impl State {
    /// Checks that the caller has every permission that the call requires.
    pub(crate) fn authorize(&mut self, call: &Call) -> Result<(), ServiceError> {
        if !self.authorizer.is_enforced() {
            return Ok(());
        }
        for permission in required_permissions(self, call)? {
            self.authorize_one(call.service, &permission)?;
        }
        Ok(())
    }

    fn authorize_one(&mut self, service: Service, permission: &RequiredPermission) -> Result<(), ServiceError> {
        self.authorizer.decide(&self.caller.function, permission).map_err(|denial| match denial {
            Denial::NoPolicy => unsupported(format_args!("calls of '{}', which has no policy", self.caller.function)),
            Denial::Denied(why) => {
                // A denial for a deleted resource does not show that the policy is too tight.
                if permission.exists {
                    self.journal.denied.insert(why.clone());
                }
                service.denied(&why)
            }
        })
    }

    /// Whether the caller may delete this snapshot. `DeregisterImage` deletes it on the caller's behalf.
    pub(crate) fn may_delete_snapshot(&mut self, snapshot: usize) -> bool {
        let permission = ec2::delete_snapshot(self, &self.ec2.snapshots[snapshot]);
        self.authorize_one(Service::Ec2, &permission).is_ok()
    }
}

/// Every permission that a call requires.
fn required_permissions(state: &State, call: &Call) -> Result<Vec<RequiredPermission>, ServiceError> {
    let operation = &*call.operation;
    match (call.service, &call.body) {
        (Service::Ec2, Body::Form(form)) => ec2::required_permissions(state, operation, form),
        (Service::LoadBalancing, Body::Form(form)) => Ok(others::load_balancing(operation, form)),
        (Service::Rds, Body::Form(form)) => others::rds(state, operation, form),
        (Service::SystemsManager, Body::Fields(fields)) => others::systems_manager(state, operation, fields),
        (Service::CloudWatch, Body::Fields(fields)) => others::cloudwatch(state, operation, fields),
        (Service::DynamoDb, Body::Fields(fields)) => others::dynamodb(state, operation, fields),
        (service, _) => Err(unsupported(format_args!("this format for {service:?}"))),
    }
}

impl Service {
    /// The service's error for a caller that IAM denies.
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

impl World {
    /// The ARN of a resource in the account and region.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// The ARN of a resource that belongs to a region and no account, such as an image or a snapshot.
    fn shared_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}::{resource}", self.partition(), self.region)
    }

    /// The ARN of a resource that belongs to the account and no region.
    fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    /// The domain of the services in the partition.
    fn url_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn partition(&self) -> &str {
        self.target_group.split(':').nth(1).unwrap_or("aws")
    }
}
