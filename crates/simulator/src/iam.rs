//! Who may do what: each call is held against the policy of the function that makes it.
//!
//! A call needs leave for one action on each of its resources, and some need further actions: for tags on what is made,
//! for a role that is handed on. All of it must be allowed, or nothing happens. Conditions on tags see what the call
//! brings and what the resource carries; a resource that is not there carries none, so that who may touch only what is
//! tagged is told that it may not, rather than that there is nothing.
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

/// Why a policy cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy document has an element that is not understood.
    #[error("{function}: {source}")]
    Unreadable {
        /// The function whose policy it is.
        function: String,
        /// The element, and why it is refused.
        source: permissions::Refusal,
    },
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
    /// [`PolicyError`] if the document has an element that is not understood.
    pub fn add(&mut self, function: &str, arn: &str, document: &Value) -> Result<(), PolicyError> {
        let unreadable = |source| PolicyError::Unreadable { function: function.to_owned(), source };
        let policy = Policy::read(document, &KEYS).map_err(unreadable)?;
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
pub(crate) struct Authorizer {
    /// None: everyone may everything.
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
    fn decide(&mut self, function: &str, need: &RequiredPermission) -> Result<(), Denial> {
        let Some(permissions) = self.permissions.as_deref() else { return Ok(()) };
        let Some(principal) = permissions.principals.get(function) else {
            return Err(Denial::NoPolicy);
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
        Err(Denial::Denied(format!(
            "User: {} is not authorized to perform: {} on resource: {} {why}",
            principal.arn, need.action, need.resource
        )))
    }
}

enum Denial {
    /// Nobody has said what the caller may.
    NoPolicy,
    /// In IAM's words.
    Denied(String),
}

/// One thing that a call needs leave for.
#[derive(Clone, Debug)]
struct RequiredPermission {
    action: Cow<'static, str>,
    /// An ARN, or `*` for an action that takes none.
    resource: Cow<'static, str>,
    context: Context,
    /// Whether the resource is there.
    exists: bool,
}

impl RequiredPermission {
    /// An action that takes no resource.
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

    /// The tags that the call puts on the resource.
    fn with_request_tags(self, tags: &BTreeMap<String, String>) -> RequiredPermission {
        let need = self.with_tag_keys(tags.keys().map(String::as_str));
        tags.iter().fold(need, |need, (key, value)| need.with_context(&format!("aws:RequestTag/{key}"), value))
    }

    /// The keys of tags that the call takes off the resource.
    fn with_tag_keys<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> RequiredPermission {
        RequiredPermission { context: self.context.with_all("aws:TagKeys", keys), ..self }
    }

    /// The tags that the resource carries, under the names that these services have for them; `None` if it is not there.
    fn with_resource_tags(self, tags: Option<&BTreeMap<String, String>>) -> RequiredPermission {
        let Some(tags) = tags else { return RequiredPermission { exists: false, ..self } };
        tags.iter().fold(self, |need, (key, value)| {
            let names = ["aws:ResourceTag", "ec2:ResourceTag", "ssm:resourceTag"];
            names.iter().fold(need, |need, name| need.with_context(&format!("{name}/{key}"), value))
        })
    }
}

impl State {
    /// Lets the call through if its caller may make it.
    pub(crate) fn authorize(&mut self, call: &Call) -> Result<(), ServiceError> {
        if !self.authorizer.is_enforced() {
            return Ok(());
        }
        for need in required_permissions(self, call)? {
            self.authorize_one(call.service, &need)?;
        }
        Ok(())
    }

    fn authorize_one(&mut self, service: Service, need: &RequiredPermission) -> Result<(), ServiceError> {
        self.authorizer.decide(&self.caller.function, need).map_err(|denial| match denial {
            Denial::NoPolicy => unsupported(format_args!("what '{}' may: it has no policy", self.caller.function)),
            Denial::Denied(why) => {
                // That a policy denies what is gone does not make it too tight.
                if need.exists {
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

impl World {
    /// The ARN of something in the account and region.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// The ARN of something in the region that is of no account: images and snapshots are.
    fn shared_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}::{resource}", self.partition(), self.region)
    }

    /// The ARN of something in the account that is of no region.
    fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    /// The domain of the partition's services.
    fn url_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn partition(&self) -> &str {
        self.target_group.split(':').nth(1).unwrap_or("aws")
    }
}
