//! `CreateTags`, `DeleteTags`. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use std::collections::BTreeMap;

use super::describe::find;
use super::images::find_image;
use super::snapshots::find_snapshot;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// The maximum number of resources in one call.
const MOST_RESOURCES: usize = 1_000;
/// The maximum number of tags on one resource.
const MOST_TAGS: usize = 50;

/// `CreateTags`: adds tags or overwrites them.
pub(super) fn create(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let resources = resources(state, form)?;
    let added = read(form)?;
    form.finish()?;
    if added.is_empty() {
        return Err(refuse("MissingParameter", "The request must contain the parameter Tag"));
    }
    for resource in &resources {
        let mut after = tags_of(state, *resource).clone();
        after.extend(added.clone());
        if after.len() > MOST_TAGS {
            return Err(refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached."));
        }
    }
    change(state, "CreateTags", &resources, |tags| tags.extend(added.clone()));
    Ok(Xml::ec2("CreateTags", |xml| {
        xml.text("return", "true");
    }))
}

/// `DeleteTags`. A tag that is given with a value is removed only if it has that value. A missing tag is no error.
pub(super) fn delete(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let resources = resources(state, form)?;
    let mut removed = Vec::new();
    for mut tag in form.structures("Tag") {
        removed.push((tag.required("Key")?, tag.take("Value")));
        tag.finish()?;
    }
    form.finish()?;
    if removed.is_empty() {
        return Err(unsupported("DeleteTags without a tag, which removes all of them"));
    }
    change(state, "DeleteTags", &resources, |tags| {
        tags.retain(|key, value| {
            !removed.iter().any(|(gone, only)| gone == key && only.as_ref().is_none_or(|only| only == value))
        });
    });
    Ok(Xml::ec2("DeleteTags", |xml| {
        xml.text("return", "true");
    }))
}

/// A resource that carries tags.
#[derive(Clone, Copy, Debug)]
enum Resource {
    Instance(usize),
    Image(usize),
    Snapshot(usize),
}

fn resources(state: &State, form: &mut Form) -> Result<Vec<Resource>, ServiceError> {
    let ids = form.list("ResourceId");
    if ids.is_empty() {
        return Err(refuse("MissingParameter", "The request must contain the parameter ResourceId"));
    }
    if ids.len() > MOST_RESOURCES {
        return Err(refuse(
            "InvalidParameterValue",
            format!("{} resources are more than the {MOST_RESOURCES} of one call", ids.len()),
        ));
    }
    ids.iter().map(|id| resource(state, id)).collect()
}

fn resource(state: &State, id: &String) -> Result<Resource, ServiceError> {
    match id.split_once('-') {
        Some(("i", _)) => Ok(Resource::Instance(find(state, std::slice::from_ref(id), false)?[0])),
        Some(("ami", _)) => find_image(state, id, false).map(Resource::Image),
        Some(("snap", _)) => find_snapshot(state, id, false).map(Resource::Snapshot),
        _ => Err(unsupported(format_args!("tags on the resource {id}"))),
    }
}

fn tags_of(state: &State, resource: Resource) -> &BTreeMap<String, String> {
    match resource {
        Resource::Instance(index) => &state.ec2.instances[index].tags,
        Resource::Image(index) => &state.ec2.images[index].tags,
        Resource::Snapshot(index) => &state.ec2.snapshots[index].tags,
    }
}

fn change(
    state: &mut State,
    operation: &'static str,
    resources: &[Resource],
    mut effect: impl FnMut(&mut BTreeMap<String, String>),
) {
    for resource in resources {
        match *resource {
            Resource::Instance(index) => {
                state.touch_instance(operation, index);
                effect(&mut state.ec2.instances[index].tags);
                // A member in service carries the load-balancer tag, so the capacity in service may have changed.
                state.reroute(index);
            }
            Resource::Image(index) => {
                state.touch_image(operation, index);
                effect(&mut state.ec2.images[index].tags);
            }
            Resource::Snapshot(index) => {
                state.touch_snapshot(operation, index);
                effect(&mut state.ec2.snapshots[index].tags);
            }
        }
    }
}

/// Reads the tags that a call sets.
pub(crate) fn read(form: &mut Form) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut tags = BTreeMap::new();
    for mut tag in form.structures("Tag") {
        let (key, value) = (tag.required("Key")?, tag.take("Value").unwrap_or_default());
        tag.finish()?;
        if key.starts_with("aws:") {
            return Err(refuse(
                "InvalidParameterValue",
                format!("Tag keys starting with 'aws:' are reserved for internal use ('{key}')"),
            ));
        }
        if key.is_empty() || key.len() > 128 || value.len() > 256 {
            return Err(refuse(
                "InvalidParameterValue",
                format!("Tag '{key}' exceeds the maximum length of a key or value"),
            ));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(refuse("InvalidParameterValue", format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(tags)
}

/// Writes a resource's tags.
pub(super) fn write(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("tagSet", "item", tags, |xml, (key, value)| {
        xml.text("key", key).text("value", value);
    });
}
