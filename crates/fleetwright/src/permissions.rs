//! The calls that each function may make: the roles of infra/template.yaml, with their intrinsic functions resolved as in a
//! stack that is deployed for one fleet.

use fleet::Config;
use serde_json::{Map, Value, json};
use simulator::iam::Permissions;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

static RESOURCES: LazyLock<Result<Map<String, Value>, PermissionsError>> = LazyLock::new(|| {
    let template: Value =
        serde_saphyr::from_str(TEMPLATE).map_err(|error| PermissionsError::Yaml(error.to_string()))?;
    let resources = template.get("Resources").and_then(Value::as_object);
    resources.cloned().ok_or(PermissionsError::NoResources)
});

/// The caller that stands for the operator. Every other caller is a step.
pub const OPERATOR: &str = "operator";

/// The managed policy that the template offers to operators. The roles of the stack use the other managed policies.
const OPERATOR_POLICY: &str = "OperatorPolicy";

/// The role of a caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// The ARN that IAM's error messages have for the caller.
    pub arn: String,
    /// The policy document.
    pub policy: Value,
}

/// The calls that each caller may make in the stack of the fleet of `config`.
///
/// # Errors
/// The template has something that this module cannot resolve.
pub fn permissions(config: &Config) -> Result<Permissions, PermissionsError> {
    let mut permissions = Permissions::default();
    for (caller, role) in roles(config)? {
        let added = permissions.add(&caller, &role.arn, &role.policy);
        added.map_err(|error| PermissionsError::Policy { caller, reason: error.to_string() })?;
    }
    Ok(permissions)
}

/// The role of each step's function by the step's name, and the [`OPERATOR`]'s.
///
/// # Errors
/// The template has something that this module cannot resolve.
pub fn roles(config: &Config) -> Result<BTreeMap<String, Role>, PermissionsError> {
    let stack = Stack::new(config)?;
    let mut roles = BTreeMap::new();
    for (id, resource) in stack.resources {
        let properties = &resource["Properties"];
        match resource["Type"].as_str() {
            Some("AWS::Serverless::Function") => {
                let handler = properties["Handler"].as_str().ok_or_else(|| missing(id, "Handler"))?;
                roles.insert(handler.to_owned(), stack.role_of(id, properties)?);
            }
            Some("AWS::IAM::ManagedPolicy") if id == OPERATOR_POLICY => {
                let arn = stack.arn("iam", "", "user/operator");
                let policy = stack.resolve(&properties["PolicyDocument"])?;
                roles.insert(OPERATOR.to_owned(), Role { arn, policy });
            }
            _ => {}
        }
    }
    Ok(roles)
}

/// Why the permissions cannot be read from the template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionsError {
    /// The template is not YAML.
    #[error("{0}")]
    Yaml(String),
    /// The template has no resources.
    #[error("the template has no resources")]
    NoResources,
    /// A resource lacks a property.
    #[error("{resource} has no {property}")]
    Missing {
        /// The resource's logical id.
        resource: String,
        /// The property.
        property: &'static str,
    },
    /// A role with another number of inline policies than one.
    #[error("{role} has {count} policies instead of one")]
    Policies {
        /// The role's logical id.
        role: String,
        /// The number of its policies.
        count: usize,
    },
    /// A role uses a managed policy that the template does not define.
    #[error("{role} uses {arn}, which is no managed policy of the template")]
    UnknownPolicy {
        /// The role's logical id.
        role: String,
        /// The policy, as the template names it.
        arn: String,
    },
    /// A key or an intrinsic function that this module does not resolve.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The configuration's target group is not an ARN.
    #[error("{0} is not an ARN")]
    TargetGroup(String),
    /// The simulated IAM does not take the policy.
    #[error("the policy of {caller}: {reason}")]
    Policy {
        /// The caller.
        caller: String,
        /// What is wrong with the policy.
        reason: String,
    },
}

fn missing(resource: &str, property: &'static str) -> PermissionsError {
    PermissionsError::Missing { resource: resource.to_owned(), property }
}

/// The stack of one fleet.
struct Stack<'a> {
    resources: &'a Map<String, Value>,
    parameters: BTreeMap<&'static str, Value>,
    partition: &'a str,
    region: &'a str,
    account: &'a str,
}

impl<'a> Stack<'a> {
    fn new(config: &'a Config) -> Result<Self, PermissionsError> {
        let resources = RESOURCES.as_ref().map_err(Clone::clone)?;
        let group = config.load_balancer.target_group.as_str();
        let fields: Vec<_> = group.split(':').collect();
        let [_, partition, _, region, account, ..] = fields[..] else {
            return Err(PermissionsError::TargetGroup(group.to_owned()));
        };
        let parameters = BTreeMap::from([
            ("FleetNames", json!([config.fleet.name])),
            ("TargetGroups", json!([group])),
            // In a rehearsal the instance profile's role has the profile's name.
            ("InstanceRole", json!(config.fleet.instance_profile)),
        ]);
        Ok(Self { resources, parameters, partition, region, account })
    }

    /// The role of a function: its one inline policy, followed by the statements of the managed policies that it uses.
    fn role_of(&self, id: &str, function: &Value) -> Result<Role, PermissionsError> {
        let name = function["Role"]["Fn::GetAtt"][0].as_str().ok_or_else(|| missing(id, "Role"))?;
        let role = self.resources.get(name).and_then(|role| role["Properties"].as_object());
        let role = role.ok_or_else(|| missing(name, "Properties"))?;
        let known = ["AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "Policies"];
        if let Some(other) = role.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(PermissionsError::Unsupported(format!("{name}.{other}")));
        }
        let policies = role.get("Policies").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let [policy] = policies else {
            return Err(PermissionsError::Policies { role: name.to_owned(), count: policies.len() });
        };
        let mut policy = self.resolve(&policy["PolicyDocument"])?;
        let managed = role.get("ManagedPolicyArns").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for arn in managed {
            let statements = policy["Statement"].as_array_mut().ok_or_else(|| missing(name, "list of statements"))?;
            statements.extend(self.managed_statements(name, arn)?);
        }
        let session = self.resolve(&function["FunctionName"])?;
        let session = session.as_str().ok_or_else(|| missing(id, "FunctionName"))?;
        Ok(Role {
            // CloudFormation appends random characters to the role's name, which no error message here needs.
            arn: self.arn("sts", "", &format!("assumed-role/fleetwright-{name}/{session}")),
            policy,
        })
    }

    /// The statements of a managed policy of the stack. Another policy's statements are not in the template, so a role
    /// that uses one is an error.
    fn managed_statements(&self, role: &str, arn: &Value) -> Result<Vec<Value>, PermissionsError> {
        let unknown = || PermissionsError::UnknownPolicy { role: role.to_owned(), arn: arn.to_string() };
        let id = arn["Ref"].as_str().ok_or_else(unknown)?;
        let policy = self.resources.get(id).filter(|resource| resource["Type"] == "AWS::IAM::ManagedPolicy");
        let document = self.resolve(&policy.ok_or_else(unknown)?["Properties"]["PolicyDocument"])?;
        let statements = document["Statement"].as_array().cloned();
        statements.ok_or_else(|| missing(id, "list of statements"))
    }

    /// A value with its intrinsic functions resolved.
    fn resolve(&self, value: &Value) -> Result<Value, PermissionsError> {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(fields) => {
                let function = fields.iter().find(|(key, _)| *key == "Ref" || key.starts_with("Fn::"));
                match function {
                    None => fields.iter().map(|(key, field)| Ok((key.clone(), self.resolve(field)?))).collect(),
                    Some((name, argument)) if fields.len() == 1 => self.perform(name, argument),
                    Some((name, _)) => Err(PermissionsError::Unsupported(format!("{name} beside other keys"))),
                }
            }
            plain => Ok(plain.clone()),
        }
    }

    fn perform(&self, function: &str, argument: &Value) -> Result<Value, PermissionsError> {
        let unknown = || PermissionsError::Unsupported(format!("{function} of {argument}"));
        match (function, argument) {
            ("Ref", Value::String(name)) => self.reference(name).ok_or_else(unknown),
            ("Fn::GetAtt", Value::Array(path)) => match &path[..] {
                [Value::String(id), Value::String(name)] => self.attribute(id, name).ok_or_else(unknown),
                _ => Err(unknown()),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text),
            _ => Err(unknown()),
        }
    }

    fn substitute(&self, text: &str) -> Result<Value, PermissionsError> {
        let mut parts = text.split("${");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let unknown = || PermissionsError::Unsupported(format!("${{{part} in Fn::Sub"));
            let (name, rest) = part.split_once('}').ok_or_else(unknown)?;
            let value = match name.split_once('.') {
                Some((id, attribute)) => self.attribute(id, attribute),
                None => self.reference(name),
            };
            out.push_str(value.as_ref().and_then(Value::as_str).ok_or_else(unknown)?);
            out.push_str(rest);
        }
        Ok(Value::String(out))
    }

    /// The value of `Ref`: a parameter, a pseudo-parameter, or the identifier of a resource.
    fn reference(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.parameters.get(name) {
            return Some(value.clone());
        }
        let china = self.partition == "aws-cn";
        match name {
            "AWS::AccountId" => return Some(json!(self.account)),
            "AWS::Partition" => return Some(json!(self.partition)),
            "AWS::Region" => return Some(json!(self.region)),
            "AWS::URLSuffix" => return Some(json!(if china { "amazonaws.com.cn" } else { "amazonaws.com" })),
            _ => {}
        }
        match self.resources.get(name)?["Type"].as_str()? {
            "AWS::SSM::Document" => self.attribute(name, "Name"),
            "AWS::Serverless::StateMachine" => self.attribute(name, "Arn"),
            _ => None,
        }
    }

    /// The value of `Fn::GetAtt`.
    fn attribute(&self, id: &str, name: &str) -> Option<Value> {
        let resource = self.resources.get(id)?;
        let property = |name: &str| resource["Properties"][name].as_str();
        let (service, resource) = match (resource["Type"].as_str()?, name) {
            ("AWS::SSM::Document" | "AWS::Serverless::StateMachine", "Name") => return Some(json!(property("Name")?)),
            ("AWS::DynamoDB::Table", "Arn") => ("dynamodb", format!("table/{}", property("TableName")?)),
            ("AWS::Logs::LogGroup", "Arn") => ("logs", format!("log-group:{}:*", property("LogGroupName")?)),
            ("AWS::Serverless::Function", "Arn") => ("lambda", format!("function:{}", property("FunctionName")?)),
            ("AWS::Serverless::StateMachine", "Arn") => ("states", format!("stateMachine:{}", property("Name")?)),
            ("AWS::IAM::Role", "Arn") => {
                let name = self.resolve(resource["Properties"].get("RoleName")?).ok()?;
                return Some(json!(self.arn("iam", "", &format!("role/{}", name.as_str()?))));
            }
            ("AWS::SQS::Queue", "Arn") => ("sqs", property("QueueName")?.to_owned()),
            _ => return None,
        };
        Some(json!(self.arn(service, self.region, &resource)))
    }

    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition, self.account)
    }
}
