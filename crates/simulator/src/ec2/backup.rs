//! `CreateSnapshots`: snapshots of all volumes of one instance, taken at one time. Only the data server can be backed
//! up. It is no member and supports no other call.

use super::image::{Snapshot, SnapshotState};
use super::{tag_specifications, tags, well_formed};
use crate::events::Event;
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;
use crate::world::Data;

/// How many volumes the data server has: its root volume and its data volume.
const VOLUMES: u64 = 2;

/// `CreateSnapshots`. It has no client token, so a repeated call takes further snapshots.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html>
pub(super) fn create(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let id = form.required("InstanceSpecification.InstanceId")?;
    let description = form.take("Description").unwrap_or_default();
    let made_with = tag_specifications(form, &["snapshot"])?.remove("snapshot").unwrap_or_default();
    form.finish()?;
    well_formed(&id, "i", "InvalidInstanceID")?;
    if !matches!(&state.world.data, Some(Data::Server { id: server }) if *server == id) {
        return Err(refuse("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist")));
    }
    let first = state.ec2.snapshots.len();
    for volume in 0..VOLUMES {
        let index = state.ec2.snapshots.len();
        let visible = state.now + state.dice.latency("backup-visible", index as u64, state.world.latencies.visibility);
        let snapshot = Snapshot {
            id: state.dice.id("snap", index as u64),
            volume: state.dice.id("vol", u64::MAX / 2 - volume),
            tags: made_with.clone(),
            foreign: false,
            made_by: state.caller.run.clone(),
            started: state.now,
            visible,
            state: SnapshotState::Pending,
            image: None,
        };
        state.ec2.snapshots.push(snapshot);
        let done = state.now + state.dice.latency("backup", index as u64, state.world.latencies.backup);
        state.queue.schedule(done, Event::BackedUp { snapshot: index });
    }
    Ok(Xml::ec2("CreateSnapshots", |xml| {
        xml.list("snapshotSet", "item", &state.ec2.snapshots[first..], |xml, snapshot| {
            xml.text("snapshotId", &snapshot.id).text("volumeId", &snapshot.volume).text("state", "pending");
            xml.text("startTime", state.iso(snapshot.started)).text("ownerId", &state.world.account);
            xml.text("description", &description);
            tags::write(xml, &snapshot.tags);
        });
    }))
}

impl State {
    pub(crate) fn on_backed_up(&mut self, snapshot: usize) {
        let this = &mut self.ec2.snapshots[snapshot];
        if this.state == SnapshotState::Pending {
            this.state = SnapshotState::Completed;
            let (id, started) = (this.id.clone(), this.started);
            self.record_span("backup", id, started, self.now);
        }
    }
}
