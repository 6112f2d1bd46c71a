//! `RunInstances`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::describe::launched;
use super::image::ImageState;
use super::images::find_image;
use super::instance::{Installed, Instance, InstanceState, Spec, vcpus};
use super::tag_specifications;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;
use crate::world::Subnet;

/// The launch of a client token: its parameters, and the instances it launched.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    parameters: BTreeMap<String, String>,
    instances: Vec<usize>,
}

/// Launches as many instances as fit, between `MinCount` and `MaxCount`. A client token launches once in each zone.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>
pub(super) fn run(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let parameters = form.pairs().clone();
    let request = Request::read(state, form)?;
    let token = request.client_token.clone().map(|token| (token, request.subnet.zone.clone()));
    let earlier = token.as_ref().and_then(|token| state.ec2.launches.get(token));
    let instances = match earlier {
        Some(launch) if launch.parameters == parameters => launch.instances.clone(),
        Some(_) => {
            let message =
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
            return Err(refuse("IdempotentParameterMismatch", message));
        }
        None => {
            let count = admit(state, &request)?;
            let instances = launch(state, request, count);
            if let Some(token) = token {
                state.ec2.launches.insert(token, Launch { parameters, instances: instances.clone() });
            }
            instances
        }
    };
    Ok(Xml::ec2("RunInstances", |xml| launched(xml, state, &instances)))
}

/// A valid launch request.
#[derive(Debug)]
struct Request {
    image: String,
    instance_type: String,
    counts: (u32, u32),
    client_token: Option<String>,
    subnet: Subnet,
    security_groups: Vec<String>,
    instance_profile: Option<String>,
    key_name: Option<String>,
    detailed_monitoring: bool,
    http_tokens: String,
    tags: BTreeMap<String, String>,
}

impl Request {
    fn read(state: &State, form: &mut Form) -> Result<Request, ServiceError> {
        check_shutdown_behavior(form)?;
        check_user_data(form)?;
        let client_token = form.take("ClientToken");
        if client_token.as_ref().is_some_and(|token| token.len() > 64 || !token.is_ascii()) {
            return Err(refuse("InvalidParameterValue", "ClientToken must be at most 64 ASCII characters"));
        }
        let request = Request {
            image: form.required("ImageId")?,
            instance_type: form.required("InstanceType")?,
            counts: counts(form)?,
            client_token,
            subnet: subnet(state, form.take("SubnetId"))?,
            security_groups: security_groups(state, form.list("SecurityGroupId"))?,
            instance_profile: instance_profile(state, form)?,
            key_name: form.take("KeyName"),
            detailed_monitoring: form.parsed("Monitoring.Enabled")?.unwrap_or(false),
            http_tokens: metadata_options(form)?,
            tags: tag_specifications(form, &["instance", "volume"])?.remove("instance").unwrap_or_default(),
        };
        form.finish()?;
        Ok(request)
    }
}

fn counts(form: &mut Form) -> Result<(u32, u32), ServiceError> {
    let min = form.required("MinCount")?.parse::<u32>();
    let max = form.required("MaxCount")?.parse::<u32>();
    match (min, max) {
        (Ok(min), Ok(max)) if min >= 1 && min <= max => Ok((min, max)),
        _ => Err(refuse("InvalidParameterValue", "MinCount must be at least 1 and MaxCount at least MinCount")),
    }
}

fn subnet(state: &State, id: Option<String>) -> Result<Subnet, ServiceError> {
    let found = match &id {
        None => state.world.subnets.first(),
        Some(id) => state.world.subnets.iter().find(|subnet| subnet.id == *id),
    };
    found.cloned().ok_or_else(|| {
        refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{}' does not exist", id.unwrap_or_default()))
    })
}

fn security_groups(state: &State, ids: Vec<String>) -> Result<Vec<String>, ServiceError> {
    match ids.iter().find(|id| !state.world.security_groups.contains(id)) {
        Some(missing) => Err(refuse("InvalidGroup.NotFound", format!("The security group '{missing}' does not exist"))),
        None => Ok(ids),
    }
}

fn instance_profile(state: &State, form: &mut Form) -> Result<Option<String>, ServiceError> {
    let (name, arn) = (form.take("IamInstanceProfile.Name"), form.take("IamInstanceProfile.Arn"));
    let Some(name) = name.or_else(|| arn.map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned())) else {
        return Ok(None);
    };
    if state.world.instance_profile.as_ref() != Some(&name) {
        let message = format!(
            "Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        );
        return Err(refuse("InvalidParameterValue", message));
    }
    Ok(Some(name))
}

/// Accepts any user data that is small enough. No simulated instance runs it.
fn check_user_data(form: &mut Form) -> Result<(), ServiceError> {
    let Some(encoded) = form.take("UserData") else { return Ok(()) };
    match BASE64_STANDARD.decode(encoded) {
        Err(_) => Err(refuse("InvalidParameterValue", "Invalid BASE64 encoding of user data.")),
        Ok(data) if data.len() > USER_DATA => {
            Err(refuse("InvalidParameterValue", "User data is limited to 16384 bytes"))
        }
        Ok(_) => Ok(()),
    }
}

/// The maximum size of user data in bytes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html>
const USER_DATA: usize = 16 * 1024;

/// Accepts either behavior. No simulated instance shuts itself down.
fn check_shutdown_behavior(form: &mut Form) -> Result<(), ServiceError> {
    match form.take("InstanceInitiatedShutdownBehavior").as_deref() {
        None | Some("stop" | "terminate") => Ok(()),
        Some(other) => Err(refuse(
            "InvalidParameterValue",
            format!("Value ({other}) for parameter instanceInitiatedShutdownBehavior is invalid."),
        )),
    }
}

fn metadata_options(form: &mut Form) -> Result<String, ServiceError> {
    let Some(mut options) = form.structure("MetadataOptions") else { return Ok("optional".to_owned()) };
    let tokens = options.take("HttpTokens").unwrap_or_else(|| "optional".to_owned());
    if options.take("HttpEndpoint").is_some_and(|endpoint| endpoint != "enabled") {
        return Err(unsupported("an instance whose metadata endpoint is disabled"));
    }
    options.parsed::<u32>("HttpPutResponseHopLimit")?;
    options.take("InstanceMetadataTags");
    options.finish()?;
    Ok(tokens)
}

/// How many instances a launch may create within the quota and the capacity, or a refusal.
fn admit(state: &State, request: &Request) -> Result<u32, ServiceError> {
    let image = find_image(state, &request.image, false)?;
    let image = &state.ec2.images[image];
    if image.state != ImageState::Available {
        let message = format!("The image ID '{}' is not available: its state is {}", image.id, image.state.name());
        return Err(refuse("InvalidAMIID.Unavailable", message));
    }
    let Some(each) = vcpus(&request.instance_type) else {
        let message = format!("Invalid value '{}' for InstanceType.", request.instance_type);
        return Err(refuse("InvalidParameterValue", message));
    };
    let zone = &request.subnet.zone;
    if state.faults.no_capacity(zone, &request.instance_type) {
        let message = format!(
            "We currently do not have sufficient {} capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity.",
            request.instance_type
        );
        return Err(ServiceError { status: 500, ..refuse("InsufficientInstanceCapacity", message) });
    }
    let (min, max) = request.counts;
    let count = max.min(state.world.vcpu_quota.saturating_sub(vcpus_in_use(state)) / each);
    if count < min { Err(quota_exceeded(state)) } else { Ok(count) }
}

/// The vCPUs that count against the quota: those of pending and running instances.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html>
pub(super) fn vcpus_in_use(state: &State) -> u32 {
    let running =
        state.ec2.instances.iter().filter(|one| matches!(one.state, InstanceState::Pending | InstanceState::Running));
    running.filter_map(|one| vcpus(&one.spec.instance_type)).sum()
}

pub(super) fn quota_exceeded(state: &State) -> ServiceError {
    let quota = state.world.vcpu_quota;
    let message = format!(
        "You have requested more vCPU capacity than your current vCPU limit of {quota} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    );
    refuse("VcpuLimitExceeded", message)
}

fn launch(state: &mut State, request: Request, count: u32) -> Vec<usize> {
    let first = state.ec2.instances.len();
    let spec = Arc::new(Spec {
        reservation: state.dice.id("r", first as u64),
        image: request.image,
        instance_type: request.instance_type,
        subnet: request.subnet,
        security_groups: request.security_groups,
        instance_profile: request.instance_profile,
        key_name: request.key_name,
        client_token: request.client_token,
        detailed_monitoring: request.detailed_monitoring,
        http_tokens: request.http_tokens,
        made_by: state.caller.run.clone(),
    });
    let installed = state.ec2.images.iter().find(|image| image.id == spec.image).map(|image| image.installed.clone());
    for _ in 0..count {
        let index = state.add_instance(&spec, request.tags.clone(), installed.clone().unwrap_or_default());
        state.ec2.launched += 1;
        let impaired = state.faults.impaired(state.ec2.launched);
        let visible =
            state.now + state.dice.latency("instance-visible", index as u64, state.world.latencies.visibility);
        let instance = &mut state.ec2.instances[index];
        (instance.impaired, instance.visible) = (impaired, visible);
        state.touch_instance("RunInstances", index);
        state.become_pending(index);
    }
    (first..state.ec2.instances.len()).collect()
}

impl State {
    /// Adds an instance that is pending. The caller schedules what follows.
    pub(crate) fn add_instance(
        &mut self,
        spec: &Arc<Spec>,
        tags: BTreeMap<String, String>,
        installed: Installed,
    ) -> usize {
        let index = self.ec2.instances.len();
        let id = self.dice.id("i", index as u64);
        self.ec2.by_id.insert(id.clone(), index);
        self.ec2.instances.push(Instance {
            id,
            volume: self.dice.id("vol", index as u64),
            spec: Arc::clone(spec),
            tags,
            foreign: false,
            launched: self.now,
            visible: self.now,
            state: InstanceState::Pending,
            stale: None,
            since: self.now,
            epoch: 0,
            up_since: self.now,
            boots: 0,
            serving: None,
            agent: None,
            agent_registered: false,
            agent_seen: false,
            checked: None,
            checks_seen: false,
            impaired: false,
            dead: false,
            installed,
            ran: Duration::ZERO,
        });
        index
    }
}
