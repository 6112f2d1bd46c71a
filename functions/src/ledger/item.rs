//! A record as an item of the table: its key, the record as JSON text, and when it expires.
//!
//! The ledger reads and writes records whole, so one attribute holds all of a record. Reading it takes a third of the work of
//! one attribute for each field, which is the form of earlier releases. Most calls of a step read or write records.

use crate::StepError;
use aws_sdk_dynamodb::types::AttributeValue;
use fleet::{Before, Decision, FleetName, FleetRecord, Run, RunRef, StayingMembers, StepRecord};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// The attribute with the version of the record: the number of its writes.
pub(super) const WRITING: &str = "writing";
/// The attribute that holds the record.
const RECORD: &str = "record";
/// The table's TTL attribute, in seconds since 1970.
const EXPIRES: &str = "expires";

/// How long the ledger keeps the parts of a run from its begin. This is longer than a run can last, which is a year, and
/// longer than the ledger keeps the record of an ended run.
const PARTS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 800);

/// A type that the ledger keeps.
pub trait Record: Serialize + DeserializeOwned {
    /// When DynamoDB may delete the record, if the record itself has that time.
    fn expires(&self) -> Option<Timestamp> {
        None
    }
}

impl Record for FleetRecord {}
impl Record for Before {}
impl Record for StayingMembers {}
impl Record for StepRecord {}
impl Record for Decision {}
impl Record for Run {
    fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}

#[expect(clippy::disallowed_types, reason = "the SDK's items are hash maps; nothing iterates over them")]
type Attributes = std::collections::HashMap<String, AttributeValue>;

/// The key of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) fleet: String,
    pub(super) record: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.fleet, self.record)
    }
}

impl Key {
    pub(super) fn fleet(name: &FleetName) -> Self {
        Self { fleet: format!("fleet/{name}"), record: "fleet".to_owned() }
    }

    pub(super) fn run(run: &RunRef) -> Self {
        Self::part("run", run)
    }

    pub(super) fn part(part: &str, run: &RunRef) -> Self {
        Self { record: format!("{part}/{}", run.id), ..Self::fleet(&run.fleet) }
    }

    pub(super) fn attributes(&self) -> Attributes {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        [(PK.to_owned(), text(&self.fleet)), (SK.to_owned(), text(&self.record))].into()
    }

    pub(super) fn item<T: Record>(&self, record: &T, version: u64) -> Result<Item, StepError> {
        let text = serde_json::to_string(record).map_err(|error| StepError::Failed(format!("{self}: {error}")))?;
        let mut item = Item(self.attributes());
        item.0.insert(WRITING.to_owned(), AttributeValue::N(version.to_string()));
        item.0.insert(RECORD.to_owned(), AttributeValue::S(text));
        Ok(match record.expires() {
            Some(at) => item.expires_at(at),
            None => item,
        })
    }

    pub(super) fn unreadable(&self, why: impl std::fmt::Display) -> StepError {
        StepError::Failed(format!("{self} cannot be read: {why}"))
    }
}

/// A record with its key.
pub(super) struct Item(pub(super) Attributes);

impl Item {
    /// The same, as a part of a run or step that began at `start`.
    pub(super) fn expires_after(self, start: Timestamp) -> Self {
        self.expires_at(start.saturating_add(PARTS_KEPT).unwrap_or(Timestamp::MAX))
    }

    fn expires_at(mut self, at: Timestamp) -> Self {
        self.0.insert(EXPIRES.to_owned(), AttributeValue::N(at.as_second().to_string()));
        self
    }

    /// The record. An error names it by `key`.
    pub(super) fn record<T: Record>(mut self, key: &Key) -> Result<T, StepError> {
        self.0.remove(PK);
        let sk = self.0.remove(SK).and_then(|sk| sk.as_s().ok().cloned()).unwrap_or_default();
        let key = Key { record: sk, ..key.clone() };
        match self.0.remove(RECORD) {
            Some(AttributeValue::S(text)) => serde_json::from_str(&text).map_err(|error| key.unreadable(error)),
            Some(_) => Err(key.unreadable(format!("its attribute '{RECORD}' is not text"))),
            // The form of earlier releases.
            None => serde_dynamo::from_item(self.0).map_err(|error| key.unreadable(error)),
        }
    }
}
