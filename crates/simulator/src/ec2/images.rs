//! `CreateImage`, `DescribeImages`, `DeregisterImage`.

use super::describe::find;
use super::filter::Filter;
use super::image::{Image, ImageState, Snapshot, SnapshotState};
use super::instance::InstanceState;
use super::page::Page;
use super::{tag_specifications, tags, well_formed};
use crate::events::Event;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// `CreateImage`. It has no client token. The name makes the call idempotent.
pub(super) fn create(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let id = form.required("InstanceId")?;
    let name = form.required("Name")?;
    let description = form.take("Description");
    let reboots = !form.parsed::<bool>("NoReboot")?.unwrap_or(false);
    let mut all_tags = tag_specifications(form, &["image", "snapshot"])?;
    form.finish()?;
    if !name_is_valid(&name) {
        let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'";
        return Err(refuse("InvalidAMIName.Malformed", message));
    }
    if let Some(owner) = state.ec2.images.iter().find(|image| image.name == name && image.registered()) {
        let message = format!("AMI name {name} is already in use by AMI {}", owner.id);
        return Err(refuse("InvalidAMIName.Duplicate", message));
    }
    let instance = find(state, &[id], false)?[0];
    let source = &state.ec2.instances[instance];
    if !matches!(source.state, InstanceState::Running | InstanceState::Stopped) {
        let message = format!(
            "The instance '{}' is not in a state from which an image can be created: it is {}",
            source.id,
            source.state.name()
        );
        return Err(refuse("IncorrectState", message));
    }
    let rebooted = reboots && source.state == InstanceState::Running;

    let (image, made_by) = (state.ec2.images.len(), state.caller.run.clone());
    let visible = state.now + state.dice.latency("image-visible", image as u64, state.world.latencies.visibility);
    let snapshot = state.ec2.snapshots.len();
    state.ec2.snapshots.push(Snapshot {
        id: state.dice.id("snap", snapshot as u64),
        volume: source.volume.clone(),
        tags: all_tags.remove("snapshot").unwrap_or_default(),
        foreign: false,
        made_by: made_by.clone(),
        started: state.now,
        visible,
        state: SnapshotState::Pending,
        image: Some(image),
    });
    state.ec2.images.push(Image {
        id: state.dice.id("ami", image as u64),
        name,
        description,
        tags: all_tags.remove("image").unwrap_or_default(),
        foreign: false,
        made_by,
        source: Some(source.id.clone()),
        created: state.now,
        visible,
        state: ImageState::Pending,
        installed: source.installed.clone(),
        snapshot,
    });
    state.touch_instance("CreateImage", instance);
    let done = state.now + state.dice.latency("image", image as u64, state.world.latencies.image);
    state.queue.schedule(done, Event::Imaged { image });
    if rebooted {
        state.begin_reboot(instance);
    }
    Ok(Xml::ec2("CreateImage", |xml| {
        xml.text("imageId", &state.ec2.images[image].id);
    }))
}

/// Whether EC2 accepts the name of an image.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html>
fn name_is_valid(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    (3..=128).contains(&name.len()) && name.chars().all(allowed)
}

impl Image {
    pub(crate) fn registered(&self) -> bool {
        self.state != ImageState::Deregistered
    }
}

impl State {
    pub(crate) fn on_imaged(&mut self, image: usize) {
        let failed = self.faults.image_fails();
        let this = &mut self.ec2.images[image];
        let (id, created) = (this.id.clone(), this.created);
        if this.state != ImageState::Pending {
            return;
        }
        this.state = if failed { ImageState::Failed } else { ImageState::Available };
        let snapshot = &mut self.ec2.snapshots[this.snapshot];
        if snapshot.state == SnapshotState::Pending {
            snapshot.state = if failed { SnapshotState::Error } else { SnapshotState::Completed };
        }
        self.record_span("image", id, created, self.now);
    }
}

const FILTERS: [&str; 3] = ["image-id", "name", "state"];

/// `DescribeImages`.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let ids = form.list("ImageId");
    let own = match form.list("Owner").as_slice() {
        [] => false,
        [owner] if *owner == "self" || *owner == state.world.account => true,
        other => return Err(unsupported(format_args!("images of the owners {other:?}"))),
    };
    let filters = Filter::read_all(form, &FILTERS)?;
    let page = Page::read(form, 1..=1_000)?;
    form.finish()?;
    if ids.is_empty() && !own {
        return Err(unsupported("DescribeImages over everyone's images: name ids, or the owner self"));
    }
    for id in &ids {
        find_image(state, id, true)?;
    }
    let admitted = (0..state.ec2.images.len()).filter(|index| {
        let image = &state.ec2.images[*index];
        image.registered()
            && image.visible <= state.now
            && (ids.is_empty() || ids.contains(&image.id))
            && filters.iter().all(|filter| admits(filter, image))
    });
    let (page, next) = page.slice(admitted);
    Ok(Xml::ec2("DescribeImages", |xml| {
        xml.list("imagesSet", "item", page, |xml, index| write(xml, state, index));
        xml.optional("nextToken", next);
    }))
}

fn admits(filter: &Filter, image: &Image) -> bool {
    match filter.name.as_str() {
        "image-id" => filter.admits(&image.id),
        "name" => filter.admits(&image.name),
        "state" => filter.admits(image.state.name()),
        _ => filter.admits_tags(&image.tags),
    }
}

/// The index of the image with this id, or AWS's refusal.
pub(super) fn find_image(state: &State, id: &str, describing: bool) -> Result<usize, ServiceError> {
    well_formed(id, "ami", "InvalidAMIID")?;
    let known = |image: &Image| image.id == id && image.registered() && (!describing || image.visible <= state.now);
    let missing = || refuse("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"));
    state.ec2.images.iter().position(known).ok_or_else(missing)
}

fn write(xml: &mut Xml, state: &State, index: usize) {
    let image = &state.ec2.images[index];
    let snapshot = &state.ec2.snapshots[image.snapshot];
    let account = &state.world.account;
    xml.text("imageId", &image.id).text("imageState", image.state.name()).text("imageOwnerId", account);
    xml.text("creationDate", state.iso(image.created));
    xml.text("name", &image.name).optional("description", image.description.as_ref());
    xml.list("blockDeviceMapping", "item", [snapshot], |xml, snapshot| {
        xml.text("deviceName", "/dev/xvda").element("ebs", |xml| {
            xml.text("snapshotId", &snapshot.id).text("deleteOnTermination", "true");
        });
    });
    if image.state == ImageState::Failed {
        xml.element("stateReason", |xml| {
            xml.text("code", "Server.InternalError").text("message", "Server.InternalError: Internal error on launch");
        });
    }
    xml.optional("sourceInstanceId", image.source.as_ref());
    tags::write(xml, &image.tags);
}

/// `DeregisterImage`. Instances of the image keep running. Its snapshot stays unless the call asks to delete it.
pub(super) fn deregister(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let id = form.required("ImageId")?;
    let with_snapshots = form.parsed::<bool>("DeleteAssociatedSnapshots")?.unwrap_or(false);
    form.finish()?;
    well_formed(&id, "ami", "InvalidAMIID")?;
    if state.ec2.images.iter().any(|image| image.id == id && !image.registered()) {
        return Err(refuse("InvalidAMIID.Unavailable", format!("The image ID '{id}' is no longer available")));
    }
    let index = find_image(state, &id, false)?;
    state.touch_image("DeregisterImage", index);
    state.note_lost_golden_image(index);
    let image = &mut state.ec2.images[index];
    image.state = ImageState::Deregistered;
    let snapshot = image.snapshot;
    let asked = with_snapshots && state.ec2.snapshots[snapshot].state != SnapshotState::Deleted;
    // The image is deregistered even if the caller may not delete the snapshot.
    let allowed = asked && state.may_delete_snapshot(snapshot);
    if allowed {
        state.ec2.snapshots[snapshot].state = SnapshotState::Deleted;
    }
    let snapshot_id = &state.ec2.snapshots[snapshot].id;
    let code = if allowed { "success" } else { "missing-permissions" };
    Ok(Xml::ec2("DeregisterImage", |xml| {
        xml.text("return", "true");
        xml.list("deleteSnapshotResultSet", "item", asked.then_some(()), |xml, ()| {
            xml.text("snapshotId", snapshot_id).text("returnCode", code);
        });
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_name_has_a_valid_length_and_valid_characters() {
        assert!(name_is_valid("appwrite-1.4.14-0a1b"));
        assert!(!name_is_valid("ab"));
        assert!(!name_is_valid(&"a".repeat(129)));
        assert!(!name_is_valid("appwrite:1.4"));
    }
}
