//! The ledger: one DynamoDB table with the fleets, their locks, the runs and the results of their steps.
//!
//! The ledger writes every record whole, as JSON text in the attribute `record`, on the condition that no other writer has
//! changed it since it was read. So two writers never undo each other, and reading again tells whether a write whose answer
//! was lost took effect.
//!
//! | pk | sk | record |
//! |---|---|---|
//! | `fleet/NAME` | `fleet` | [`FleetRecord`]: configuration, golden image, lock |
//! | `fleet/NAME` | `run/ID` | [`Run`]: plan, launches, phase |
//! | `fleet/NAME` | `before/ID` | [`Before`]: the state of the fleet before the run's first change |
//! | `fleet/NAME` | `new/ID` | [`StayingMembers`]: the ids of the staying members |
//! | `fleet/NAME` | `decision/ID` | [`fleet::Decision`]: a decision on the fleet's size, its inputs, and its reason |
//! | `fleet/NAME` | `step/ID/TIME/STATE` | [`StepRecord`]: attempts and result |
//!
//! DynamoDB deletes the records of an ended run some time after the time in their attribute `expires`.

mod item;
mod scaling;

use crate::StepError;
use crate::aws::{CallError, Named};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder};
use fleet::{Abort, Before, FleetName, FleetRecord, Phase, Run, RunRef, StayingMembers, StepRecord, Ticket};
pub use item::Record;
use item::{Item, Key, PK, SK, WRITING};
use jiff::Timestamp;

/// The table that holds the ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// A record as it was read, with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The record; change it and [`Ledger::write`] it back.
    pub record: T,
    version: u64,
    key: Key,
}

/// The phases of a run in which a step may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedPhase {
    /// Before the commit. A late attempt of a forward step must do nothing after the run began to roll back.
    Forward,
    /// Before the commit, or after it: the step that commits may be repeated.
    ForwardOrCommitted,
    /// Every phase but the end: the step serves both paths.
    NotEnded,
}

impl Ledger {
    /// The ledger in `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// A fleet's record.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn fleet(&self, name: &FleetName) -> Result<Option<Versioned<FleetRecord>>, StepError> {
        self.read(Key::fleet(name)).await
    }

    /// A run's record.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn run(&self, run: &RunRef) -> Result<Option<Versioned<Run>>, StepError> {
        self.read(Key::run(run)).await
    }

    /// The state of the fleet before a run's first change.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that is missing or cannot be read.
    pub async fn before(&self, run: &RunRef) -> Result<Before, StepError> {
        let found = self.read(Key::part("before", run)).await?;
        found
            .map(|found| found.record)
            .ok_or_else(|| StepError::Failed(format!("{run} has no record of the fleet before it")))
    }

    /// Every run of a fleet, the latest to begin first.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn runs(&self, fleet: &FleetName) -> Result<Vec<Run>, StepError> {
        let mut runs: Vec<Run> = self.records(Key::fleet(fleet), "run/").await?;
        runs.sort_by_key(|run| std::cmp::Reverse(run.started));
        Ok(runs)
    }

    /// The results of a run's steps, in the order in which the run entered their states.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn steps(&self, run: &RunRef) -> Result<Vec<StepRecord>, StepError> {
        self.records(Key::fleet(&run.fleet), &format!("{}/", Key::part("step", run).record)).await
    }

    /// Records a fleet that the ledger does not have yet. Returns false if the ledger has it already.
    ///
    /// # Errors
    /// Any error of DynamoDB.
    pub async fn create_fleet(&self, record: &FleetRecord) -> Result<bool, StepError> {
        self.create(Key::fleet(record.name()).item(record, 1)?).await
    }

    /// Grants `run` the fleet's lock, and records the run and the state of the fleet, in one transaction.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when another writer has changed the fleet's record since it was read; any other error of DynamoDB.
    pub async fn begin(&self, fleet: &Versioned<FleetRecord>, run: &Run, before: &Before) -> Result<(), StepError> {
        let before = Key::part("before", &run.run).item(before, 1)?.expires_after(run.started);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.replace(fleet)?, self.insert(before)?, self.insert(run)?]).await
    }

    /// Writes a run and its fleet back, in one transaction. So the lock and the golden image always match the end of the run,
    /// or the execution that resumed it.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when another writer has changed either record since it was read; any other error of DynamoDB.
    pub async fn write_both(&self, run: &Versioned<Run>, fleet: &Versioned<FleetRecord>) -> Result<(), StepError> {
        self.transact([self.replace(run)?, self.replace(fleet)?]).await
    }

    /// The staying members of a run.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that is missing or cannot be read.
    pub async fn staying_members(&self, run: &RunRef) -> Result<StayingMembers, StepError> {
        let found = self.members_of(run).await?;
        found.ok_or_else(|| StepError::Failed(format!("{run} has no record of its staying members")))
    }

    /// The same, if they are recorded.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn members_of(&self, run: &RunRef) -> Result<Option<StayingMembers>, StepError> {
        Ok(self.read(Key::part("new", run)).await?.map(|read| read.record))
    }

    /// Records staying members of a run, after those that are recorded already. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when another writer recorded members at the same time; any other error of DynamoDB.
    pub async fn record_staying_members(&self, run: &Run, members: &StayingMembers) -> Result<(), StepError> {
        if self.create(Key::part("new", &run.run).item(members, 1)?.expires_after(run.started)).await? {
            return Ok(());
        }
        let Some(mut recorded) = self.read::<StayingMembers>(Key::part("new", &run.run)).await? else { return Ok(()) };
        let ids = &mut recorded.record.ids;
        let there = ids.len();
        let more: Vec<_> = members.ids.iter().filter(|id| !ids.contains(id)).cloned().collect();
        ids.extend(more);
        if recorded.record.ids.len() == there {
            return Ok(());
        }
        let item = recorded.key.item(&recorded.record, recorded.version + 1)?.expires_after(run.started);
        self.put_over(&recorded, item).await
    }

    /// Records the result of a step. Repeating it changes nothing.
    ///
    /// # Errors
    /// Any error of DynamoDB.
    pub async fn record_step(&self, run: &RunRef, step: &StepRecord) -> Result<(), StepError> {
        let record = format!("{}/{:.3}/{}", Key::part("step", run).record, step.started, step.state);
        let key = Key { record, ..Key::fleet(&run.fleet) };
        self.create(key.item(step, 1)?.expires_after(step.started)).await.map(drop)
    }

    /// The record of the run that a ticket is for, if the ticket is still valid.
    ///
    /// # Errors
    /// [`StepError::Refused`] when there is no such run, and when another execution has resumed it since: a late step does
    /// nothing. Any error of DynamoDB.
    pub async fn admit(&self, ticket: &Ticket) -> Result<Versioned<Run>, StepError> {
        let run = ticket.run();
        let found = self.run(&run).await?;
        let found = found.ok_or_else(|| StepError::Refused(format!("{run} is not in the ledger")))?;
        match ticket.fence {
            Some(fence) if fence != found.record.fence => Err(StepError::Refused(format!(
                "{run} continues in the execution {} under the fencing number {}, so a step under {fence} does nothing",
                found.record.execution(),
                found.record.fence
            ))),
            _ => Ok(found),
        }
    }

    /// A run's record, for a step that may act: the ticket is valid, and the run is in an allowed phase. A run that has not
    /// ended holds the fleet's lock.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the ticket is not valid or the run is in another phase: a late step does nothing.
    /// [`StepError::Aborted`] when the run is before its commit and an operator has aborted it. Any error of DynamoDB.
    pub async fn hold(&self, ticket: &Ticket, allowed: AllowedPhase) -> Result<Versioned<Run>, StepError> {
        let found = self.admit(ticket).await?;
        let run = &found.record.run;
        let phase = &found.record.phase;
        let may_act = match allowed {
            AllowedPhase::Forward => matches!(phase, Phase::Forward | Phase::AwaitingApproval { .. }),
            AllowedPhase::ForwardOrCommitted => {
                matches!(phase, Phase::Forward | Phase::AwaitingApproval { .. } | Phase::Committed)
            }
            AllowedPhase::NotEnded => !matches!(phase, Phase::Ended(_)),
        };
        if !may_act {
            return Err(StepError::Refused(format!("{run} is {}, so this step does nothing", phase.as_str())));
        }
        match &found.record.abort {
            Some(Abort { by, at }) if allowed != AllowedPhase::NotEnded && *phase != Phase::Committed => {
                Err(StepError::Aborted(format!("aborted by {by} at {at:.0}")))
            }
            _ => Ok(found),
        }
    }

    /// The same for the step that starts a rollback: records that the run rolls back, so from then on its forward steps do
    /// nothing. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the ticket is not valid, or the run has ended or committed; the errors of [`Ledger::write`].
    pub async fn hold_for_rollback(&self, ticket: &Ticket, now: Timestamp) -> Result<Versioned<Run>, StepError> {
        let mut run = self.hold(ticket, AllowedPhase::NotEnded).await?;
        if run.record.phase != Phase::RollingBack {
            run.record.roll_back(now)?;
            self.write(&mut run).await?;
        }
        Ok(run)
    }

    /// Writes a record back, on the condition that no other writer has changed it since it was read.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when another writer has; any other error of DynamoDB.
    pub async fn write<T: Record>(&self, read: &mut Versioned<T>) -> Result<(), StepError> {
        let item = read.key.item(&read.record, read.version + 1)?;
        self.put_over(read, item).await?;
        read.version += 1;
        Ok(())
    }

    async fn put_over<T>(&self, read: &Versioned<T>, item: Item) -> Result<(), StepError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        let put = put
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#writing", WRITING)
            .expression_attribute_values(":read", AttributeValue::N(read.version.to_string()));
        match put.send().await.of("PutItem") {
            Ok(_) => Ok(()),
            Err(error) if error.is_condition_failed() => {
                Err(StepError::Interrupted(format!("another writer has changed {} in the meantime", read.key)))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn read<T: Record>(&self, key: Key) -> Result<Option<Versioned<T>>, StepError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).consistent_read(true);
        let answer = get.send().await.of("GetItem").map_err(|error| self.failed(error))?;
        let Some(mut item) = answer.item.map(Item) else { return Ok(None) };
        let version = item.0.remove(WRITING).and_then(|version| version.as_n().ok()?.parse().ok());
        let version = version.ok_or_else(|| key.unreadable(format!("it has no number '{WRITING}'")))?;
        Ok(Some(Versioned { record: item.record(&key)?, version, key }))
    }

    /// Every record of `fleet`'s whose key begins with `prefix`, in order of key.
    async fn records<T: Record>(&self, fleet: Key, prefix: &str) -> Result<Vec<T>, StepError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("#pk = :fleet AND begins_with(#sk, :prefix)");
        let query = query.expression_attribute_names("#pk", PK).expression_attribute_names("#sk", SK);
        let query = query.expression_attribute_values(":fleet", AttributeValue::S(fleet.fleet.clone()));
        let query = query.expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
        let mut pages = query.into_paginator().send();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.of("Query").map_err(|error| self.failed(error))?;
            for item in page.items.unwrap_or_default() {
                records.push(Item(item).record(&fleet)?);
            }
        }
        Ok(records)
    }

    /// Writes a record that does not exist yet. Returns false if it exists.
    async fn create(&self, item: Item) -> Result<bool, StepError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        let put = put.condition_expression(ABSENT).expression_attribute_names("#pk", PK);
        match put.send().await.of("PutItem") {
            Ok(_) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// A write of a transaction: a record that must not exist yet.
    fn insert(&self, item: Item) -> Result<TransactWriteItem, StepError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item.0));
        write(put.condition_expression(ABSENT).expression_attribute_names("#pk", PK))
    }

    /// A write of a transaction: a record that must be unchanged since it was read.
    fn replace<T: Record>(&self, read: &Versioned<T>) -> Result<TransactWriteItem, StepError> {
        let item = read.key.item(&read.record, read.version + 1)?.0;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(UNCHANGED);
        let put = put.expression_attribute_names("#writing", WRITING);
        write(put.expression_attribute_values(":read", AttributeValue::N(read.version.to_string())))
    }

    async fn transact<const N: usize>(&self, writes: [TransactWriteItem; N]) -> Result<(), StepError> {
        let call = self.client.transact_write_items().set_transact_items(Some(writes.into()));
        match call.send().await.of("TransactWriteItems") {
            Ok(_) => Ok(()),
            Err(error) if error.is_condition_failed() => Err(StepError::Interrupted(
                "another writer has changed the fleet or the run in the meantime".to_owned(),
            )),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: CallError) -> StepError {
        if error.is_table_missing() {
            let text = format!("there is no table '{}' in this account and region: deploy the stack first", self.table);
            return StepError::Failed(text);
        }
        error.into()
    }
}

fn write(put: PutBuilder) -> Result<TransactWriteItem, StepError> {
    let put = put.build().map_err(|error| StepError::Failed(error.to_string()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

const UNCHANGED: &str = "#writing = :read";
const ABSENT: &str = "attribute_not_exists(#pk)";
