//! Who joins a run: scale-outs go on while an upgrade is under way, from the image that it replaces.

use super::wait::wait;
use crate::StepError;
use crate::aws::Aws;
use crate::ledger::Read;
use fleet::{Run, RunId, RunRef, Span, StateContext};

/// Closes the run's books: nobody joins it any more. Waits until whoever did is over, so that all they brought is known.
/// Repeating it changes nothing.
pub(crate) async fn close_joins(aws: &Aws, run: &mut Read<Run>, state: &StateContext) -> Result<(), StepError> {
    let joined = joined(aws, &run.record).await?;
    if let Some(going) = joined.going {
        return wait(aws, state, limit(&run.record), format!("the scale-out {going}, which joined, is not over"));
    }
    if !run.record.joins_closed {
        run.record.joins_closed = true;
        aws.ledger().write(run).await?;
    }
    Ok(())
}

/// How long a scale-out takes at most: it launches once more for those that it replaces.
pub(crate) fn limit(run: &Run) -> Span {
    let limits = &run.config.limits;
    let once = limits.launch + limits.healthy;
    once + once + limits.delete + run.drain
}

/// What the scale-outs that joined a run come to.
#[derive(Default)]
pub(crate) struct Joined {
    /// How many members they have brought, or may yet bring.
    pub(crate) members: u32,
    /// The one that is not over, if there is one; one that is frozen is not.
    going: Option<RunId>,
}

/// What the scale-outs that joined the run come to so far.
pub(crate) async fn joined(aws: &Aws, run: &Run) -> Result<Joined, StepError> {
    let mut joined = Joined::default();
    for scale_out in &run.joined {
        let scale_out = RunRef { fleet: run.run.fleet.clone(), id: scale_out.clone() };
        let Some(found) = aws.ledger().run(&scale_out).await? else { continue };
        let members = if found.record.is_over() {
            let came = aws.ledger().members_of(&scale_out).await?.map_or(0, |came| came.ids.len());
            u32::try_from(came).unwrap_or(u32::MAX)
        } else {
            joined.going = Some(scale_out.id);
            found.record.size
        };
        joined.members = joined.members.saturating_add(members);
    }
    Ok(joined)
}
