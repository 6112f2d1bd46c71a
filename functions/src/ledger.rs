//! The ledger: one DynamoDB table with the fleets, their locks, the runs and what their steps came to.
//!
//! Every record is written whole, as JSON text in the attribute `record`, on the condition that nobody wrote it since it was
//! read; so two writers never undo each other, and a lost answer is found out by reading again.
//!
//! | pk | sk | record |
//! |---|---|---|
//! | `fleet/NAME` | `fleet` | [`FleetRecord`]: configuration, golden image, lock |
//! | `fleet/NAME` | `run/ID` | [`Run`]: plan, launches, phase |
//! | `fleet/NAME` | `before/ID` | [`Before`]: what was before the run's first change |
//! | `fleet/NAME` | `new/ID` | [`StayingMembers`]: the ids of the members that the run made |
//! | `fleet/NAME` | `decision/ID` | [`fleet::Decision`]: how large the fleet was to be, from what, and why |
//! | `fleet/NAME` | `step/ID/TIME/STATE` | [`StepRecord`]: attempts and result |
//!
//! DynamoDB forgets a finished run's record, and what belongs to it, some time after its attribute `expires`.

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

/// A record as it was read, and which writing of it that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    /// The record; change it and [`Ledger::write`] it back.
    pub record: T,
    writing: u64,
    key: Key,
}

/// Which way a run must be going for a step to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// Making and bringing in the new; a step that wakes up after the run turned back must do nothing.
    Forward,
    /// The same, or past the point of no return: the step that leads over it is asked again there.
    ForwardOrCommitted,
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
        self.read(Key::run(run)).await
    }

    /// What was before a run's first change.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that is missing or cannot be read.
    pub async fn before(&self, run: &RunRef) -> Result<Before, StepError> {
        let read = self.read(Key::part("before", run)).await?;
        read.map(|read| read.record).ok_or_else(|| StepError::Failed(format!("{run} has no record of what was before")))
    }

    /// Every run of a fleet, the latest to begin first.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn runs(&self, fleet: &FleetName) -> Result<Vec<Run>, StepError> {
        let mut runs: Vec<Run> = self.records(Key::fleet(fleet), "run/").await?;
        runs.sort_by_key(|run| std::cmp::Reverse(run.started));
        Ok(runs)
    }

    /// What the steps of a run came to, in the order in which their states were entered.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn steps(&self, run: &RunRef) -> Result<Vec<StepRecord>, StepError> {
        self.records(Key::fleet(&run.fleet), &format!("{}/", Key::part("step", run).record)).await
    }

    /// Records a fleet that the ledger does not have yet; answers whether it did.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn create_fleet(&self, record: &FleetRecord) -> Result<bool, StepError> {
        self.create(Key::fleet(record.name()).item(record, 1)?).await
    }

    /// Grants `run` the fleet's lock, and records the run and what was before: all of it or nothing.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody wrote the fleet since it was read; whatever else DynamoDB answers.
    pub async fn begin(&self, fleet: &Read<FleetRecord>, run: &Run, before: &Before) -> Result<(), StepError> {
        let before = Key::part("before", &run.run).item(before, 1)?.forgotten_after(run.started);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.over(fleet)?, self.absent(before)?, self.absent(run)?]).await
    }

    /// Writes a run and its fleet back: both or neither. So lock and golden image are what the run's end, or its taking
    /// up, makes of them.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody wrote either since it was read; whatever else DynamoDB answers.
    pub async fn write_both(&self, run: &Read<Run>, fleet: &Read<FleetRecord>) -> Result<(), StepError> {
        self.transact([self.over(run)?, self.over(fleet)?]).await
    }

    /// The members that a run made.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that is missing or cannot be read.
    pub async fn staying_members(&self, run: &RunRef) -> Result<StayingMembers, StepError> {
        let found = self.members_of(run).await?;
        found.ok_or_else(|| StepError::Failed(format!("{run} has no record of its new members")))
    }

    /// The same, if they are recorded.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn members_of(&self, run: &RunRef) -> Result<Option<StayingMembers>, StepError> {
        Ok(self.read(Key::part("new", run)).await?.map(|read| read.record))
    }

    /// Records the members that a run made, those that are not recorded yet after the others. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody else recorded some; whatever else DynamoDB answers.
    pub async fn record_staying_members(&self, run: &Run, members: &StayingMembers) -> Result<(), StepError> {
        if self.create(Key::part("new", &run.run).item(members, 1)?.forgotten_after(run.started)).await? {
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
        let item = recorded.key.item(&recorded.record, recorded.writing + 1)?.forgotten_after(run.started);
        self.put_over(&recorded, item).await
    }

    /// Records what a step came to. Repeating it changes nothing.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn record_step(&self, run: &RunRef, step: &StepRecord) -> Result<(), StepError> {
        let record = format!("{}/{:.3}/{}", Key::part("step", run).record, step.started, step.state);
        let key = Key { record, ..Key::fleet(&run.fleet) };
        self.create(key.item(step, 1)?.forgotten_after(step.started)).await.map(drop)
    }

    /// The record of the run that a ticket is for, if the ticket still holds.
    ///
    /// # Errors
    /// [`StepError::Refused`] when there is no such run, and when another execution has taken it up since: a step that
    /// wakes up late does nothing.
    pub async fn admit(&self, ticket: &Ticket) -> Result<Read<Run>, StepError> {
        let run = ticket.run();
        let found = self.run(&run).await?;
        let found = found.ok_or_else(|| StepError::Refused(format!("{run} is not in the ledger")))?;
        match ticket.fence {
            Some(fence) if fence != found.record.fence => Err(StepError::Refused(format!(
                "{run} goes on in the execution {} under the fencing number {}, so a step under {fence} does nothing",
                found.record.execution(),
                found.record.fence
            ))),
            _ => Ok(found),
        }
    }

    /// A run's record, for a step that may act: its ticket holds, the run is not over, so it has the fleet's lock, and it
    /// goes the way that the step is for.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the ticket does not hold, or the run is over or goes another way: a step that wakes
    /// up late does nothing. [`StepError::Aborted`] when it goes forward and somebody wants it to turn back.
    pub async fn hold(&self, ticket: &Ticket, going: Going) -> Result<Read<Run>, StepError> {
        let found = self.admit(ticket).await?;
        let run = &found.record.run;
        let phase = &found.record.phase;
        let goes = match going {
            Going::Forward => matches!(phase, Phase::Forward | Phase::AwaitingApproval { .. }),
            Going::ForwardOrCommitted => {
                matches!(phase, Phase::Forward | Phase::AwaitingApproval { .. } | Phase::Committed)
            }
            Going::Either => !matches!(phase, Phase::Ended(_)),
        };
        if !goes {
            return Err(StepError::Refused(format!("{run} is {}, so this step does nothing", phase.as_str())));
        }
        match &found.record.abort {
            Some(Abort { by, at }) if going != Going::Either && *phase != Phase::Committed => {
                Err(StepError::Aborted(format!("aborted by {by} at {at:.0}")))
            }
            _ => Ok(found),
        }
    }

    /// The same for a step that turns the run back: from then on its forward steps do nothing. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the ticket does not hold, or the run is over or committed; whatever writing answers.
    pub async fn hold_back(&self, ticket: &Ticket, now: Timestamp) -> Result<Read<Run>, StepError> {
        let mut run = self.hold(ticket, Going::Either).await?;
        if run.record.phase != Phase::RollingBack {
            run.record.roll_back(now)?;
            self.write(&mut run).await?;
        }
        Ok(run)
    }

    /// Writes a record back, on the condition that nobody wrote it since it was read.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when somebody did; whatever else DynamoDB answers.
    pub async fn write<T: Record>(&self, read: &mut Read<T>) -> Result<(), StepError> {
        let item = read.key.item(&read.record, read.writing + 1)?;
        self.put_over(read, item).await?;
        read.writing += 1;
        Ok(())
    }

    async fn put_over<T>(&self, read: &Read<T>, item: Item) -> Result<(), StepError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        let put = put
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#writing", WRITING)
            .expression_attribute_values(":read", AttributeValue::N(read.writing.to_string()));
        match put.send().await.of("PutItem") {
            Ok(_) => Ok(()),
            Err(error) if error.is_condition_failed() => {
                Err(StepError::Interrupted(format!("{} was written by another meanwhile", read.key)))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn read<T: Record>(&self, key: Key) -> Result<Option<Read<T>>, StepError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).consistent_read(true);
        let answer = get.send().await.of("GetItem").map_err(|error| self.failed(error))?;
        let Some(mut item) = answer.item.map(Item) else { return Ok(None) };
        let writing = item.0.remove(WRITING).and_then(|writing| writing.as_n().ok()?.parse().ok());
        let writing = writing.ok_or_else(|| key.unreadable(format!("it has no number '{WRITING}'")))?;
        Ok(Some(Read { record: item.record(&key)?, writing, key }))
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

    /// Writes a record that is not there yet; answers whether it did.
    async fn create(&self, item: Item) -> Result<bool, StepError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        let put = put.condition_expression(ABSENT).expression_attribute_names("#pk", PK);
        match put.send().await.of("PutItem") {
            Ok(_) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// A record that is not there yet, in a transaction.
    fn absent(&self, item: Item) -> Result<TransactWriteItem, StepError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item.0));
        write(put.condition_expression(ABSENT).expression_attribute_names("#pk", PK))
    }

    /// A record over the one that was read, in a transaction.
    fn over<T: Record>(&self, read: &Read<T>) -> Result<TransactWriteItem, StepError> {
        let item = read.key.item(&read.record, read.writing + 1)?.0;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(UNCHANGED);
        let put = put.expression_attribute_names("#writing", WRITING);
        write(put.expression_attribute_values(":read", AttributeValue::N(read.writing.to_string())))
    }

    async fn transact<const N: usize>(&self, writes: [TransactWriteItem; N]) -> Result<(), StepError> {
        let call = self.client.transact_write_items().set_transact_items(Some(writes.into()));
        match call.send().await.of("TransactWriteItems") {
            Ok(_) => Ok(()),
            Err(error) if error.is_condition_failed() => {
                Err(StepError::Interrupted("the fleet or the run was written by another meanwhile".to_owned()))
            }
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
