//! The records that only scale-outs and scale-ins write.

use super::item::{Item, Key};
use super::{Ledger, Versioned};
use crate::StepError;
use crate::aws::Named;
use fleet::{Before, Decision, FleetName, FleetRecord, Run, RunRef, StayingMembers};

impl Ledger {
    /// Grants a scale-in its fleet's lock, as [`Ledger::begin`] does, and records its staying members.
    ///
    /// # Errors
    /// The errors of [`Ledger::begin`].
    pub async fn begin_scale_in(
        &self,
        fleet: &Versioned<FleetRecord>,
        run: &Run,
        before: &Before,
        staying: &StayingMembers,
    ) -> Result<(), StepError> {
        let part = |item: Item| item.expires_after(run.started);
        let before = part(Key::part("before", &run.run).item(before, 1)?);
        let staying = part(Key::part("new", &run.run).item(staying, 1)?);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.replace(fleet)?, self.insert(before)?, self.insert(staying)?, self.insert(run)?]).await
    }

    /// Begins a scale-out that joins the run that holds the lock. That run's record names the scale-out from then on.
    ///
    /// # Errors
    /// The errors of [`Ledger::begin`]; another writer may also have changed the run that it joins.
    pub async fn begin_joining(
        &self,
        fleet: &Versioned<FleetRecord>,
        holder: &Versioned<Run>,
        run: &Run,
        before: &Before,
    ) -> Result<(), StepError> {
        let before = Key::part("before", &run.run).item(before, 1)?.expires_after(run.started);
        let run = Key::run(&run.run).item(run, 1)?;
        self.transact([self.replace(fleet)?, self.replace(holder)?, self.insert(before)?, self.insert(run)?]).await
    }

    /// Records a decision on the fleet's size, with its inputs. A repeated decision for the same run replaces it.
    ///
    /// # Errors
    /// Any error of DynamoDB.
    pub async fn record_decision(&self, run: &RunRef, decision: &Decision) -> Result<(), StepError> {
        let item = Key::part("decision", run).item(decision, 1)?.expires_after(decision.at);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.0));
        put.send().await.of("PutItem").map(drop).map_err(|error| self.failed(error))
    }

    /// The decisions on a fleet's size, in order of time.
    ///
    /// # Errors
    /// Any error of DynamoDB, and a record that cannot be read.
    pub async fn decisions(&self, fleet: &FleetName) -> Result<Vec<Decision>, StepError> {
        let mut decisions: Vec<Decision> = self.records(Key::fleet(fleet), "decision/").await?;
        decisions.sort_by_key(|decision| decision.at);
        Ok(decisions)
    }
}
