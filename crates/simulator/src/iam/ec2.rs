//! The permissions that EC2's calls require.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>

use std::collections::BTreeMap;

use super::RequiredPermission;
use crate::ec2::image::Snapshot;
use crate::ec2::{tag_specifications, tags};
use crate::service::{ServiceError, unsupported};
use crate::state::State;
use crate::wire::form::Form;

type Tags = BTreeMap<String, String>;

pub(super) fn required_permissions(
    state: &State,
    operation: &str,
    form: &Form,
) -> Result<Vec<RequiredPermission>, ServiceError> {
    if operation.starts_with("Describe") {
        return Ok(vec![RequiredPermission::on_all(format!("ec2:{operation}"))]);
    }
    // A copy, because the code that serves the call consumes all parameters.
    let mut form = form.clone();
    match operation {
        "CreateImage" => create_image(state, &mut form),
        "CreateSnapshots" => create_snapshots(state, &mut form),
        "CreateTags" => {
            let tags = tags::read(&mut form)?;
            let each = on_each(state, "ec2:CreateTags", &form.list("ResourceId"))?;
            Ok(each.into_iter().map(|permission| permission.with_request_tags(&tags)).collect())
        }
        "DeleteSnapshot" => on_each(state, "ec2:DeleteSnapshot", form.take("SnapshotId").as_slice()),
        "DeleteTags" => {
            let keys: Vec<_> = form.structures("Tag").iter_mut().filter_map(|tag| tag.take("Key")).collect();
            let each = on_each(state, "ec2:DeleteTags", &form.list("ResourceId"))?;
            Ok(each.into_iter().map(|permission| permission.with_tag_keys(keys.iter().map(String::as_str))).collect())
        }
        "DeregisterImage" => on_each(state, "ec2:DeregisterImage", form.take("ImageId").as_slice()),
        "RunInstances" => run_instances(state, &mut form),
        "StartInstances" => on_each(state, "ec2:StartInstances", &form.list("InstanceId")),
        "StopInstances" => on_each(state, "ec2:StopInstances", &form.list("InstanceId")),
        "TerminateInstances" => on_each(state, "ec2:TerminateInstances", &form.list("InstanceId")),
        other => Err(unsupported(format_args!("permissions for {other} of EC2"))),
    }
}

/// The permission to delete the snapshot of an image.
pub(super) fn delete_snapshot(state: &State, snapshot: &Snapshot) -> RequiredPermission {
    let arn = state.world.shared_arn("ec2", &format!("snapshot/{}", snapshot.id));
    RequiredPermission::on("ec2:DeleteSnapshot", arn).with_resource_tags(Some(&snapshot.tags))
}

/// The same action on each resource that the call names.
fn on_each(state: &State, action: &'static str, ids: &[String]) -> Result<Vec<RequiredPermission>, ServiceError> {
    ids.iter().map(|id| on(state, action, id)).collect()
}

/// An action on a resource, with the tags of the resource.
fn on(state: &State, action: &'static str, id: &str) -> Result<RequiredPermission, ServiceError> {
    let (world, ec2) = (&state.world, &state.ec2);
    let kind = id.split_once('-').map_or("", |(kind, _)| kind);
    let (arn, tags) = match kind {
        "i" => {
            let instance = ec2.by_id.get(id).map(|index| &ec2.instances[*index].tags);
            (world.arn("ec2", &format!("instance/{id}")), instance)
        }
        "ami" => {
            let image = ec2.images.iter().find(|image| image.id == id && image.registered());
            (world.shared_arn("ec2", &format!("image/{id}")), image.map(|image| &image.tags))
        }
        "snap" => {
            let snapshot = ec2.snapshots.iter().find(|snapshot| snapshot.id == id && snapshot.exists());
            (world.shared_arn("ec2", &format!("snapshot/{id}")), snapshot.map(|snapshot| &snapshot.tags))
        }
        _ => return Err(unsupported(format_args!("permissions for {action} on {id}"))),
    };
    Ok(RequiredPermission::on(action, arn).with_resource_tags(tags))
}

/// The instance that is imaged, the new image and the new snapshot. The new resources have the tags of the request.
fn create_image(state: &State, form: &mut Form) -> Result<Vec<RequiredPermission>, ServiceError> {
    let tags = tag_specifications(form, &["image", "snapshot"])?;
    let mut required = on_each(state, "ec2:CreateImage", form.take("InstanceId").as_slice())?;
    for kind in ["image", "snapshot"] {
        make(&mut required, "ec2:CreateImage", &state.world.shared_arn("ec2", &format!("{kind}/*")), tags.get(kind));
    }
    Ok(required)
}

/// The instance that is backed up, its volumes, and the new snapshots with the tags of the request.
fn create_snapshots(state: &State, form: &mut Form) -> Result<Vec<RequiredPermission>, ServiceError> {
    const CREATE: &str = "ec2:CreateSnapshots";
    let world = &state.world;
    let tags = tag_specifications(form, &["snapshot"])?;
    let id = form.take("InstanceSpecification.InstanceId").unwrap_or_default();
    let there = world.data.as_ref().filter(|data| data.id() == id);
    let server = RequiredPermission::on(CREATE, world.arn("ec2", &format!("instance/{id}")));
    let mut required = vec![
        server.with_resource_tags(there.map(|_| &world.data_tags)),
        RequiredPermission::on(CREATE, world.arn("ec2", "volume/*")),
    ];
    make(&mut required, CREATE, &world.shared_arn("ec2", "snapshot/*"), tags.get("snapshot"));
    Ok(required)
}

/// The new instances and volumes with the tags of the request, their image, and what they are launched into. Also the
/// role that they receive.
fn run_instances(state: &State, form: &mut Form) -> Result<Vec<RequiredPermission>, ServiceError> {
    const RUN: &str = "ec2:RunInstances";
    let world = &state.world;
    let arn = |resource: &str| world.arn("ec2", resource);
    let tags = tag_specifications(form, &["instance", "volume"])?;
    let mut required = Vec::new();
    for kind in ["instance", "volume"] {
        make(&mut required, RUN, &arn(&format!("{kind}/*")), tags.get(kind));
    }
    required.extend(on_each(state, RUN, form.take("ImageId").as_slice())?);
    required.push(RequiredPermission::on(RUN, arn("network-interface/*")));
    // A call that names none uses the account's defaults.
    let or_any = |ids: Vec<String>| if ids.is_empty() { vec!["*".to_owned()] } else { ids };
    for group in or_any(form.list("SecurityGroupId")) {
        required.push(RequiredPermission::on(RUN, arn(&format!("security-group/{group}"))));
    }
    for subnet in or_any(form.take("SubnetId").into_iter().collect()) {
        required.push(RequiredPermission::on(RUN, arn(&format!("subnet/{subnet}"))));
    }
    required.extend(form.take("KeyName").map(|name| RequiredPermission::on(RUN, arn(&format!("key-pair/{name}")))));
    let by_arn = form.take("IamInstanceProfile.Arn");
    let by_arn = by_arn.and_then(|arn| Some(arn.split_once(":instance-profile/")?.1.to_owned()));
    // A role has the name of its instance profile, as in a profile that the console made.
    if let Some(role) = form.take("IamInstanceProfile.Name").or(by_arn) {
        let service = format!("ec2.{}", world.url_suffix());
        let pass = RequiredPermission::on("iam:PassRole", world.global_arn("iam", &format!("role/{role}")));
        required.push(pass.with_context("iam:PassedToService", &service));
    }
    Ok(required)
}

/// Creating a resource requires the action of the call. With tags, it also requires the action that tags the resource.
fn make(required: &mut Vec<RequiredPermission>, action: &'static str, arn: &str, tags: Option<&Tags>) {
    let permission = RequiredPermission::on(action, arn.to_owned());
    let Some(tags) = tags else { return required.push(permission) };
    required.push(permission.with_request_tags(tags));
    let made_by = action.trim_start_matches("ec2:");
    let tag = RequiredPermission::on("ec2:CreateTags", arn.to_owned()).with_request_tags(tags);
    required.push(tag.with_context("ec2:CreateAction", made_by));
}
