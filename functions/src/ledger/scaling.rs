//! What only runs write that scale a fleet.

use super::item::{Item, Key};
use super::{Ledger, Read};
use crate::StepError;
use crate::aws::Named;
use fleet::{Before, Decision, FleetName, FleetRecord, Run, RunRef, StayingMembers};

impl Ledger {
    /// Grants a scale-in its fleet's lock, as [`Ledger::begin`] does, and records who stays.
    ///
    /// # Errors
    /// As [`Ledger::begin`].
    pub async fn begin_scale_in(
        &self,
        fleet: &Read<FleetRecord>,
        run: &Run,
        before: &Before,
        staying: &StayingMembers,
    ) -> Result<(), StepError> {
        let part = |item: Item| item.forgotten_after(run.started);
        let before = part(Key::part("before", &run.run).item(before, 1)?);
        let staying = part(Key::part("new", &run.run).item(staying, 1)?);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.over(fleet)?, self.absent(before)?, self.absent(staying)?, self.absent(run)?]).await
    }

    /// Lets a scale-out begin beside the run that holds the fleet, which from then on reckons with it.
    ///
    /// # Errors
    /// As [`Ledger::begin`]; somebody may have written the run that it joins, too.
    pub async fn begin_joining(
        &self,
        fleet: &Read<FleetRecord>,
        holder: &Read<Run>,
        run: &Run,
        before: &Before,
    ) -> Result<(), StepError> {
        let before = Key::part("before", &run.run).item(before, 1)?.forgotten_after(run.started);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.over(fleet)?, self.over(holder)?, self.absent(before)?, self.absent(run)?]).await
    }

    /// Records a decision on the fleet's size, with all that it was made from; one that is made again for the same run
    /// takes its place.
    ///
    /// # Errors
    /// Whatever DynamoDB answers.
    pub async fn record_decision(&self, run: &RunRef, decision: &Decision) -> Result<(), StepError> {
        let item = Key::part("decision", run).item(decision, 1)?.forgotten_after(decision.at);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        put.send().await.of("PutItem").map(drop).map_err(|error| self.failed(error))
    }

    /// The decisions on a fleet's size, in order of time.
    ///
    /// # Errors
    /// Whatever DynamoDB answers, and a record that cannot be read.
    pub async fn decisions(&self, fleet: &FleetName) -> Result<Vec<Decision>, StepError> {
        let mut decisions: Vec<Decision> = self.records(Key::fleet(fleet), "decision/").await?;
        decisions.sort_by_key(|decision| decision.at);
        Ok(decisions)
    }
}
