//! `DescribeSnapshots`, `DeleteSnapshot`.

use super::filter::Filter;
use super::image::{Snapshot, SnapshotState};
use super::page::Page;
use super::{tags, well_formed};
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

const FILTERS: [&str; 3] = ["snapshot-id", "status", "volume-id"];

/// `DescribeSnapshots`.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let ids = form.list("SnapshotId");
    let own = match form.list("Owner").as_slice() {
        [] => false,
        [owner] if *owner == "self" || *owner == state.world.account => true,
        other => return Err(unsupported(format_args!("snapshots of the owners {other:?}"))),
    };
    let filters = Filter::read_all(form, &FILTERS)?;
    let page = Page::read(form, 5..=1_000)?;
    form.finish()?;
    if ids.is_empty() && !own {
        return Err(unsupported("DescribeSnapshots over everyone's snapshots: name ids, or the owner self"));
    }
    for id in &ids {
        find_snapshot(state, id, true)?;
    }
    let admitted = (0..state.ec2.snapshots.len()).filter(|index| {
        let snapshot = &state.ec2.snapshots[*index];
        snapshot.exists()
            && snapshot.visible <= state.now
            && (ids.is_empty() || ids.contains(&snapshot.id))
            && filters.iter().all(|filter| admits(filter, snapshot))
    });
    let (page, next) = page.slice(admitted);
    Ok(Xml::ec2("DescribeSnapshots", |xml| {
        xml.list("snapshotSet", "item", page, |xml, index| {
            let snapshot = &state.ec2.snapshots[index];
            let progress = if snapshot.state == SnapshotState::Completed { "100%" } else { "0%" };
            xml.text("snapshotId", &snapshot.id).text("volumeId", &snapshot.volume);
            xml.text("status", snapshot.state.name()).text("progress", progress);
            xml.text("startTime", state.iso(snapshot.started)).text("ownerId", &state.world.account);
            let of_image = |image: usize| format!("Created by CreateImage for {}", state.ec2.images[image].id);
            xml.optional("description", snapshot.image.map(of_image));
            tags::write(xml, &snapshot.tags);
        });
        xml.optional("nextToken", next);
    }))
}

impl Snapshot {
    pub(crate) fn exists(&self) -> bool {
        self.state != SnapshotState::Deleted
    }
}

fn admits(filter: &Filter, snapshot: &Snapshot) -> bool {
    match filter.name.as_str() {
        "snapshot-id" => filter.admits(&snapshot.id),
        "status" => filter.admits(snapshot.state.name()),
        "volume-id" => filter.admits(&snapshot.volume),
        _ => filter.admits_tags(&snapshot.tags),
    }
}

/// The index of the snapshot with this id, or AWS's refusal.
pub(super) fn find_snapshot(state: &State, id: &str, describing: bool) -> Result<usize, ServiceError> {
    well_formed(id, "snap", "InvalidSnapshotID")?;
    let known = |one: &Snapshot| one.id == id && one.exists() && (!describing || one.visible <= state.now);
    let missing = || refuse("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."));
    state.ec2.snapshots.iter().position(known).ok_or_else(missing)
}

/// `DeleteSnapshot`. EC2 refuses it while the snapshot's image is registered.
pub(super) fn delete(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let id = form.required("SnapshotId")?;
    form.finish()?;
    let index = find_snapshot(state, &id, false)?;
    let image = state.ec2.snapshots[index].image.map(|image| &state.ec2.images[image]);
    if let Some(image) = image.filter(|image| image.registered()) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(refuse("InvalidSnapshot.InUse", message));
    }
    state.touch_snapshot("DeleteSnapshot", index);
    state.ec2.snapshots[index].state = SnapshotState::Deleted;
    Ok(Xml::ec2("DeleteSnapshot", |xml| {
        xml.text("return", "true");
    }))
}
