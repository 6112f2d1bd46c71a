//! The ledger: one DynamoDB table with the fleets, their locks, the runs and what their steps came to.
//!
//! Every record is written whole, on the condition that nobody wrote it since it was read; so two writers never undo
//! each other, and a lost answer is found out by reading again.
//!
//! | pk | sk | record |
//! |---|---|---|
//! | `fleet/NAME` | `fleet` | [`FleetRecord`]: configuration, golden image, lock |
//! | `fleet/NAME` | `run/ID` | [`Run`]: plan, launches, phase |
//! | `fleet/NAME` | `run/ID/before` | [`Before`]: what was before the first change |
//! | `fleet/NAME` | `run/ID/new` | [`NewMembers`]: the ids of the members that the run made |
//! | `fleet/NAME` | `run/ID/step/TIME/STATE` | [`StepRecord`]: attempts and result |

use crate::StepError;
use crate::aws::{CallError, Named};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder};
use fleet::{Before, FleetName, FleetRecord, NewMembers, Phase, Run, RunRef, StepRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The table that holds the ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// A record as it was read, and which writing of it that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    /// The record; change it and [`Ledger::write`] it back.
    pub record: T,
    writing: u64,
    key: Key,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    fleet: String,
    record: String,
}

/// Which way a run must be going for a step to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// Making and bringing in the new; a step that wakes up after the run turned back must do nothing.
    Forward,
    /// Any way: the step serves both.
    Either,
}

impl Ledger {
    /// The ledger in `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// A fleet's record.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn fleet(&self, name: &FleetName) -> Result<Option<Read<FleetRecord>>, StepError> {
        self.read(Key::fleet(name)).await
    }

    /// A run's record.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn run(&self, run: &RunRef) -> Result<Option<Read<Run>>, StepError> {
        self.read(Key::run(run, "")).await
    }

    /// What was before a run's first change.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that is missing or cannot be read.
    pub async fn before(&self, run: &RunRef) -> Result<Before, StepError> {
        let read = self.read(Key::run(run, "/before")).await?;
        read.map(|read| read.record).ok_or_else(|| StepError::Failed(format!("{run} has no record of what was before")))
    }

    /// Records a fleet that the ledger does not have yet; answers whether it did.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn create_fleet(&self, record: &FleetRecord) -> Result<bool, StepError> {
        self.create(Key::fleet(record.name()), record).await
    }

    /// Grants `run` the fleet's lock, and records the run and what was before: all of it or nothing.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody wrote the fleet since it was read; whatever else DynamoDB answers.
    pub async fn begin(&self, fleet: &Read<FleetRecord>, run: &Run, before: &Before) -> Result<(), StepError> {
        let (before_key, run_key) = (Key::run(&run.run, "/before"), Key::run(&run.run, ""));
        self.transact([self.over(fleet)?, self.new_item(&before_key, before)?, self.new_item(&run_key, run)?]).await
    }

    /// Records that a run is over and what that leaves of the fleet's lock and golden image: both or neither.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody wrote either since it was read; whatever else DynamoDB answers.
    pub async fn end(&self, run: &Read<Run>, fleet: &Read<FleetRecord>) -> Result<(), StepError> {
        self.transact([self.over(run)?, self.over(fleet)?]).await
    }

    /// The members that a run made.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that is missing or cannot be read.
    pub async fn new_members(&self, run: &RunRef) -> Result<NewMembers, StepError> {
        let read = self.read(Key::run(run, "/new")).await?;
        read.map(|read| read.record).ok_or_else(|| StepError::Failed(format!("{run} has no record of its new members")))
    }

    /// Records the members that a run made. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn record_new_members(&self, run: &RunRef, members: &NewMembers) -> Result<(), StepError> {
        self.create(Key::run(run, "/new"), members).await.map(drop)
    }

    /// Records what a step came to. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn record_step(&self, run: &RunRef, step: &StepRecord) -> Result<(), StepError> {
        let key = Key::run(run, &format!("/step/{:.3}/{}", step.started, step.state));
        self.create(key, step).await.map(drop)
    }

    /// A run's record, for a step that may act: the run is not over, so it holds the fleet's lock, and it goes the way
    /// that the step is for.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the run is over or goes another way: a step that wakes up late does nothing.
    pub async fn hold(&self, run: &RunRef, going: Going) -> Result<Read<Run>, StepError> {
        let found = self.run(run).await?;
        let found = found.ok_or_else(|| StepError::Refused(format!("{run} is not in the ledger")))?;
        let phase = &found.record.phase;
        let goes = match going {
            Going::Forward => matches!(phase, Phase::Forward | Phase::AwaitingApproval { .. }),
            Going::Either => !matches!(phase, Phase::Ended(_)),
        };
        if goes {
            return Ok(found);
        }
        Err(StepError::Refused(format!("{run} is {}, so this step does nothing", phase.as_str())))
    }

    /// Writes a record back, on the condition that nobody wrote it since it was read.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody did; whatever else DynamoDB answers.
    pub async fn write<T: Serialize>(&self, read: &mut Read<T>) -> Result<(), StepError> {
        let next = read.writing + 1;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(read.key.item(&read.record, next)?));
        let put = put
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#writing", WRITING)
            .expression_attribute_values(":read", AttributeValue::N(read.writing.to_string()));
        match put.send().await.of("PutItem") {
            Ok(_) => {
                read.writing = next;
                Ok(())
            }
            Err(error) if error.is_condition_failed() => {
                let text = format!("{}/{} was written by another meanwhile", read.key.fleet, read.key.record);
                Err(StepError::Interrupted(text))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Read<T>>, StepError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).consistent_read(true);
        let Some(mut item) = get.send().await.of("GetItem")?.item else { return Ok(None) };
        item.remove(PK);
        item.remove(SK);
        let unreadable = |why: String| StepError::Failed(format!("{}/{} cannot be read: {why}", key.fleet, key.record));
        let writing = item.remove(WRITING).and_then(|writing| writing.as_n().ok()?.parse().ok());
        let writing = writing.ok_or_else(|| unreadable(format!("it has no number '{WRITING}'")))?;
        let record = serde_dynamo::from_item(item).map_err(|error| unreadable(error.to_string()))?;
        Ok(Some(Read { record, writing, key }))
    }

    /// Writes a record that is not there yet; answers whether it did.
    async fn create<T: Serialize>(&self, key: Key, record: &T) -> Result<bool, StepError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key.item(record, 1)?));
        let put = put.condition_expression(ABSENT).expression_attribute_names("#pk", PK);
        match put.send().await.of("PutItem") {
            Ok(_) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(CallError::into(error)),
        }
    }

    /// A record that is not there yet, in a transaction.
    fn new_item<T: Serialize>(&self, key: &Key, record: &T) -> Result<TransactWriteItem, StepError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(key.item(record, 1)?));
        key.transact(put.condition_expression(ABSENT).expression_attribute_names("#pk", PK))
    }

    /// A record over the one that was read, in a transaction.
    fn over<T: Serialize>(&self, read: &Read<T>) -> Result<TransactWriteItem, StepError> {
        let item = read.key.item(&read.record, read.writing + 1)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(UNCHANGED);
        let put = put.expression_attribute_names("#writing", WRITING);
        read.key.transact(put.expression_attribute_values(":read", AttributeValue::N(read.writing.to_string())))
    }

    async fn transact<const N: usize>(&self, writes: [TransactWriteItem; N]) -> Result<(), StepError> {
        let call = self.client.transact_write_items().set_transact_items(Some(writes.into()));
        match call.send().await.of("TransactWriteItems") {
            Ok(_) => Ok(()),
            Err(error) if error.is_condition_failed() => {
                Err(StepError::Interrupted("the fleet or the run was written by another meanwhile".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

const PK: &str = "pk";
const SK: &str = "sk";
const WRITING: &str = "writing";
const UNCHANGED: &str = "#writing = :read";
const ABSENT: &str = "attribute_not_exists(#pk)";

impl Key {
    fn fleet(name: &FleetName) -> Self {
        Self { fleet: format!("fleet/{name}"), record: "fleet".to_owned() }
    }

    fn run(run: &RunRef, part: &str) -> Self {
        Self { fleet: format!("fleet/{}", run.fleet), record: format!("run/{}{part}", run.id) }
    }

    fn attributes(&self) -> Attributes {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        [(PK.to_owned(), text(&self.fleet)), (SK.to_owned(), text(&self.record))].into()
    }

    fn item<T: Serialize>(&self, record: &T, writing: u64) -> Result<Attributes, StepError> {
        let mut item: Attributes = serde_dynamo::to_item(record)
            .map_err(|error| StepError::Failed(format!("{}/{}: {error}", self.fleet, self.record)))?;
        item.extend(self.attributes());
        item.insert(WRITING.to_owned(), AttributeValue::N(writing.to_string()));
        Ok(item)
    }

    fn transact(&self, put: PutBuilder) -> Result<TransactWriteItem, StepError> {
        let put = put.build();
        let put = put.map_err(|error| StepError::Failed(format!("{}/{}: {error}", self.fleet, self.record)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

#[expect(clippy::disallowed_types, reason = "the SDK's items are hash maps; nothing iterates over them")]
type Attributes = std::collections::HashMap<String, AttributeValue>;
