//! Reads the inputs of a decision on the fleet's size: the members and since when they serve, their CPU, and when the size
//! last changed.

use crate::StepError;
use crate::aws::Aws;
use crate::steps::joined::joined;
use fleet::{
    FleetRecord, Health, Member, Observed, Outcome, Phase, Reading, Run, RunId, ScalingMember, SizeOrder, Tagged,
    Workflow, fleet_cpu,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How far back the CPU counts for a decision: see `fleet::decide`.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(15);

/// Reads the inputs of a decision on the fleet that was `observed`. `holder` is the run that the scale-out would join.
pub(super) async fn read(
    aws: &Aws,
    record: &FleetRecord,
    observed: &Observed,
    holder: Option<&Run>,
    order: Option<SizeOrder>,
) -> Result<Reading, StepError> {
    let now = aws.now();
    let runs = aws.ledger().runs(record.name()).await?;
    let by_id: BTreeMap<&RunId, &Run> = runs.iter().map(|run| (&run.run.id, run)).collect();
    let of_fleet = observed.tagged.iter().filter(|one| one.fleet.as_deref() == Some(record.name().as_str()));
    let standing: Vec<_> = of_fleet.map(|one| scaling_member(one, &by_id, now)).collect();
    let last = |workflow: Workflow| {
        let scaled = runs.iter().filter(|run| run.workflow == workflow && run.phase == Phase::Ended(Outcome::Scaled));
        scaled.filter_map(|run| run.ended).max()
    };
    let mut cpu = Vec::new();
    if let (Some(scaling), None) = (&record.config.scaling, order) {
        let in_service = standing.iter().filter(|one| one.in_service.is_some());
        let ids: Vec<_> = in_service.map(|one| &one.member.id).collect();
        let since = now.saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        cpu = fleet_cpu(&standing, &aws.cpu(&ids, since, now).await?, scaling.warm_up);
    }
    Ok(Reading {
        cpu,
        last_out: last(Workflow::ScaleOut),
        last_in: last(Workflow::ScaleIn),
        others_may_add: match holder {
            Some(holder) => others_may_add(aws, holder, record, order, standing.len()).await?,
            None => 0,
        },
        order,
        members: standing,
    })
}

/// The instances that a joined upgrade may add: its staying members, the builder, and one for each member that joins.
async fn others_may_add(
    aws: &Aws,
    holder: &Run,
    record: &FleetRecord,
    order: Option<SizeOrder>,
    there: usize,
) -> Result<u32, StepError> {
    let there = u32::try_from(there).unwrap_or(u32::MAX);
    let joining = match order {
        Some(SizeOrder::To(to)) => to.saturating_sub(there),
        Some(SizeOrder::By(by)) => by.unsigned_abs(),
        None => record.config.scaling.map_or(0, |scaling| scaling.largest_step),
    };
    let joined = joined(aws, holder).await?.members;
    Ok(holder.size.saturating_add(joined).saturating_add(1).saturating_add(joining))
}

/// A member as it was observed. AWS does not say since when a target has been healthy. A member that a run launched was
/// healthy at the run's commit or end. For any other member, its launch counts.
fn scaling_member(tagged: &Tagged, runs: &BTreeMap<&RunId, &Run>, now: Timestamp) -> ScalingMember {
    let launched = tagged.launched.unwrap_or(now);
    let healthy = tagged.health == Health::Healthy;
    let since = match tagged.run.as_ref().and_then(|run| runs.get(run)) {
        Some(run) => run.committed.or(run.ended).unwrap_or(now),
        None => launched,
    };
    ScalingMember {
        member: Member {
            id: tagged.id.clone(),
            image: tagged.image.clone(),
            zone: tagged.zone.clone(),
            serves: healthy,
        },
        launched,
        in_service: healthy.then_some(since),
    }
}
