//! Scale-outs that join a run: while an upgrade runs, they launch members from the image that the upgrade replaces.

use super::wait::wait;
use crate::aws::Aws;
use crate::{StepError, Versioned};
use fleet::{Run, RunId, RunRef, Span, StateContext};

/// Ends joining: from here on no scale-out can join the run. First waits until the scale-outs that joined are over, so that
/// the number of members that they added is known. Repeating it changes nothing.
pub(crate) async fn close_joins(aws: &Aws, run: &mut Versioned<Run>, state: &StateContext) -> Result<(), StepError> {
    let joined = joined(aws, &run.record).await?;
    if let Some(running) = joined.running {
        return wait(
            aws,
            state,
            limit(&run.record),
            format!("scale-out {running}, which joined this run, is not over"),
        );
    }
    if !run.record.joins_closed {
        run.record.joins_closed = true;
        aws.ledger().write(run).await?;
    }
    Ok(())
}

/// The longest time that a scale-out takes. It launches twice, since it replaces abandoned members once.
pub(crate) fn limit(run: &Run) -> Span {
    let limits = &run.config.limits;
    let once = limits.launch + limits.healthy;
    once + once + limits.delete + run.drain
}

/// The scale-outs that joined a run, in sum.
#[derive(Default)]
pub(crate) struct Joined {
    /// How many members they have added, or may still add.
    pub(crate) members: u32,
    /// A scale-out that is not over, if there is one. A frozen scale-out is not over.
    running: Option<RunId>,
}

/// Sums up the scale-outs that have joined the run so far.
pub(crate) async fn joined(aws: &Aws, run: &Run) -> Result<Joined, StepError> {
    let mut joined = Joined::default();
    for scale_out in &run.joined {
        let scale_out = RunRef { fleet: run.run.fleet.clone(), id: scale_out.clone() };
        let Some(found) = aws.ledger().run(&scale_out).await? else { continue };
        let members = if found.record.is_over() {
            let added = aws.ledger().members_of(&scale_out).await?.map_or(0, |added| added.ids.len());
            u32::try_from(added).unwrap_or(u32::MAX)
        } else {
            joined.running = Some(scale_out.id);
            found.record.size
        };
        joined.members = joined.members.saturating_add(members);
    }
    Ok(joined)
}
