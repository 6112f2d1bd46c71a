//! RDS: only what a backup uses. <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/>

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;
use crate::world::Data;

/// A snapshot of the world's one RDS instance.
#[derive(Clone, Debug)]
pub(crate) struct DbSnapshot {
    pub(crate) id: String,
    pub(crate) tags: BTreeMap<String, String>,
    started: Time,
    available: Time,
}

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    match operation {
        "CreateDBSnapshot" => create(state, form),
        "DescribeDBSnapshots" => describe(state, form),
        other => Err(unsupported(format_args!("the operation {other} of RDS"))),
    }
}

/// The tags of a request.
pub(crate) fn read_tags(form: &mut Form) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut tags = BTreeMap::new();
    for mut tag in form.structures("Tags.Tag") {
        tags.insert(tag.required("Key")?, tag.required("Value")?);
        tag.finish()?;
    }
    Ok(tags)
}

/// `CreateDBSnapshot`. The name of a snapshot is unique in an account and region.
fn create(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let instance = form.required("DBInstanceIdentifier")?;
    let id = form.required("DBSnapshotIdentifier")?;
    let tags = read_tags(form)?;
    form.finish()?;
    if !matches!(&state.world.data, Some(Data::Db { id }) if *id == instance) {
        let message = format!("DBInstance {instance} not found.");
        return Err(ServiceError { status: 404, ..refuse("DBInstanceNotFound", message) });
    }
    if state.db_snapshots.iter().any(|one| one.id == id) {
        let message = format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        return Err(refuse("DBSnapshotAlreadyExists", message));
    }
    let index = state.db_snapshots.len();
    let took = state.dice.latency("backup", u64::MAX - index as u64, state.world.latencies.backup);
    let available = state.now + took;
    state.record_span("backup", id.clone(), state.now, available);
    state.db_snapshots.push(DbSnapshot { id, tags, started: state.now, available });
    Ok(Xml::query("CreateDBSnapshot", |xml| {
        xml.element("DBSnapshot", |xml| write(xml, state, &state.db_snapshots[index]));
    }))
}

/// `DescribeDBSnapshots` for one named snapshot.
fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let id = form.take("DBSnapshotIdentifier").ok_or_else(|| unsupported("DescribeDBSnapshots without a name"))?;
    form.finish()?;
    let missing =
        || ServiceError { status: 404, ..refuse("DBSnapshotNotFound", format!("DBSnapshot {id} not found.")) };
    let found = state.db_snapshots.iter().find(|one| one.id == id).ok_or_else(missing)?;
    Ok(Xml::query("DescribeDBSnapshots", |xml| {
        xml.list("DBSnapshots", "DBSnapshot", [found], |xml, snapshot| write(xml, state, snapshot));
    }))
}

fn write(xml: &mut Xml, state: &State, snapshot: &DbSnapshot) {
    let status = if snapshot.available <= state.now { "available" } else { "creating" };
    xml.text("DBSnapshotIdentifier", &snapshot.id).text("Status", status).text("SnapshotType", "manual");
    xml.text("SnapshotCreateTime", state.iso(snapshot.started));
    xml.list("TagList", "Tag", &snapshot.tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}
