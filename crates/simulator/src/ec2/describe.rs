//! `DescribeInstances` and `DescribeSubnets`, and the XML of an instance.

use super::filter::Filter;
use super::instance::{Instance, InstanceState};
use super::page::Page;
use super::well_formed;
use crate::clock::Time;
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

const FILTERS: [&str; 6] =
    ["availability-zone", "image-id", "instance-id", "instance-state-name", "instance-type", "subnet-id"];

/// `DescribeInstances`.
pub(super) fn instances(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let (page, next) = select(state, form, &FILTERS, |_| true)?;
    // Consecutive instances of one launch share a reservation.
    let same =
        |a: &usize, b: &usize| state.ec2.instances[*a].spec.reservation == state.ec2.instances[*b].spec.reservation;
    Ok(Xml::ec2("DescribeInstances", |xml| {
        xml.list("reservationSet", "item", page.chunk_by(same), |xml, instances| {
            reservation(xml, state, instances, brief);
        });
        xml.optional("nextToken", next);
    }))
}

/// The instances that a call names or filters for, without those that Describe calls do not show yet.
pub(super) fn select(
    state: &State,
    form: &mut Form,
    known: &[&str],
    also: impl Fn(&Instance) -> bool,
) -> Result<(Vec<usize>, Option<String>), ServiceError> {
    let ids = form.list("InstanceId");
    let filters = Filter::read_all(form, known)?;
    let page = Page::read(form, 5..=1_000)?;
    form.finish()?;
    if page.limited() && !ids.is_empty() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(refuse("InvalidParameterCombination", message));
    }
    let mut indices = if ids.is_empty() { (0..state.ec2.instances.len()).collect() } else { find(state, &ids, true)? };
    indices.sort_unstable();
    indices.dedup();
    let admitted = indices.into_iter().filter(|index| {
        let instance = &state.ec2.instances[*index];
        instance.exists(state.now)
            && instance.visible <= state.now
            && also(instance)
            && filters.iter().all(|filter| admits(filter, instance, state.now))
    });
    Ok(page.slice(admitted))
}

/// The instances with these ids, or a refusal that names the missing ones.
pub(super) fn find(state: &State, ids: &[String], describing: bool) -> Result<Vec<usize>, ServiceError> {
    let mut found = Vec::with_capacity(ids.len());
    let mut missing = Vec::new();
    for id in ids {
        well_formed(id, "i", "InvalidInstanceID")?;
        let index = state.ec2.by_id.get(id).copied().filter(|index| {
            let instance = &state.ec2.instances[*index];
            instance.exists(state.now) && (!describing || instance.visible <= state.now)
        });
        match index {
            Some(index) => found.push(index),
            None => missing.push(id.as_str()),
        }
    }
    match missing.as_slice() {
        [] => Ok(found),
        [one] => Err(refuse("InvalidInstanceID.NotFound", format!("The instance ID '{one}' does not exist"))),
        many => {
            Err(refuse("InvalidInstanceID.NotFound", format!("The instance IDs '{}' do not exist", many.join(", "))))
        }
    }
}

fn admits(filter: &Filter, instance: &Instance, now: Time) -> bool {
    match filter.name.as_str() {
        "availability-zone" => filter.admits(&instance.spec.subnet.zone),
        "image-id" => filter.admits(&instance.spec.image),
        "instance-id" => filter.admits(&instance.id),
        "instance-state-name" => filter.admits(instance.described(now).name()),
        "instance-type" => filter.admits(&instance.spec.instance_type),
        "subnet-id" => filter.admits(&instance.spec.subnet.id),
        _ => filter.admits_tags(&instance.tags),
    }
}

/// Writes a reservation: the instances of one launch, each written by `write`.
fn reservation(xml: &mut Xml, state: &State, instances: &[usize], write: impl Fn(&mut Xml, &State, &Instance) + Copy) {
    let Some(first) = instances.first() else { return };
    xml.text("reservationId", &state.ec2.instances[*first].spec.reservation).text("ownerId", &state.world.account);
    xml.list("instancesSet", "item", instances, |xml, index| write(xml, state, &state.ec2.instances[*index]));
}

/// Writes only what the steps use. The answer to `RunInstances` has more, which would cost every poll time for nothing.
fn brief(xml: &mut Xml, state: &State, instance: &Instance) {
    let spec = &instance.spec;
    xml.text("instanceId", &instance.id).text("imageId", &spec.image);
    write_state(xml, "instanceState", instance.described(state.now));
    xml.text("instanceType", &spec.instance_type).text("launchTime", state.iso(instance.launched));
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &spec.subnet.zone);
    });
    super::tags::write(xml, &instance.tags);
}

/// Writes a new reservation: its instances with all parameters of their launch.
pub(super) fn launched(xml: &mut Xml, state: &State, instances: &[usize]) {
    reservation(xml, state, instances, |xml, state, instance| {
        brief(xml, state, instance);
        let spec = &instance.spec;
        xml.optional("keyName", spec.key_name.as_ref());
        xml.element("monitoring", |xml| {
            xml.text("state", if spec.detailed_monitoring { "enabled" } else { "disabled" });
        });
        xml.list("groupSet", "item", &spec.security_groups, |xml, group| {
            xml.text("groupId", group).text("groupName", group);
        });
        xml.text("subnetId", &spec.subnet.id);
        xml.list("blockDeviceMapping", "item", [&instance.volume], |xml, volume| {
            xml.text("deviceName", "/dev/xvda").element("ebs", |xml| {
                xml.text("volumeId", volume).text("status", "attached").text("deleteOnTermination", "true");
            });
        });
        xml.optional("clientToken", spec.client_token.as_ref());
        if let Some(profile) = &spec.instance_profile {
            xml.element("iamInstanceProfile", |xml| {
                xml.text("arn", format!("arn:aws:iam::{}:instance-profile/{profile}", state.world.account));
            });
        }
        xml.element("metadataOptions", |xml| {
            xml.text("httpTokens", &spec.http_tokens);
        });
    });
}

/// Writes an instance's state as the element `name`.
pub(super) fn write_state(xml: &mut Xml, name: &str, state: InstanceState) {
    xml.element(name, |xml| {
        xml.text("code", state.code().to_string()).text("name", state.name());
    });
}

/// `DescribeSubnets`: the world's subnets, by id or by zone.
pub(super) fn subnets(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let ids = form.list("SubnetId");
    let filters = Filter::read_all(form, &["availability-zone", "subnet-id"])?;
    let page = Page::read(form, 5..=1_000)?;
    form.finish()?;
    let subnets = &state.world.subnets;
    if let Some(missing) = ids.iter().find(|id| !subnets.iter().any(|subnet| subnet.id == **id)) {
        return Err(refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{missing}' does not exist")));
    }
    let admitted = (0..subnets.len()).filter(|index| {
        let subnet = &subnets[*index];
        (ids.is_empty() || ids.contains(&subnet.id))
            && filters.iter().all(|filter| match filter.name.as_str() {
                "availability-zone" => filter.admits(&subnet.zone),
                "subnet-id" => filter.admits(&subnet.id),
                // The world's subnets carry no tags.
                _ => false,
            })
    });
    let (page, next) = page.slice(admitted);
    Ok(Xml::ec2("DescribeSubnets", |xml| {
        xml.list("subnetSet", "item", page, |xml, index| {
            let subnet = &subnets[index];
            xml.text("subnetId", &subnet.id).text("availabilityZone", &subnet.zone).text("state", "available");
        });
        xml.optional("nextToken", next);
    }))
}
