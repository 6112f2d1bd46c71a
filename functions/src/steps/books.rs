//! Who joins a run: scale-outs go on while an upgrade is under way, from the image that it replaces.

use super::wait::wait;
use crate::StepError;
use crate::aws::Aws;
use crate::ledger::Read;
use fleet::{Phase, Run, RunId, RunRef, StateContext};

/// Closes the run's books: nobody joins it any more. Waits until whoever did is over, so that all they brought is known.
/// Repeating it changes nothing.
pub(crate) async fn close_books(aws: &Aws, run: &mut Read<Run>, state: &StateContext) -> Result<(), StepError> {
    if let Some(joined) = still_joining(aws, &run.record).await? {
        let limits = &run.record.config.limits;
        // Once more for those that it replaces.
        let once = limits.launch + limits.healthy;
        let limit = once + once + limits.delete + run.record.drain;
        return wait(aws, state, limit, format!("the scale-out {joined}, which joined, is not over"));
    }
    if !run.record.books_closed {
        run.record.books_closed = true;
        aws.ledger().write(run).await?;
    }
    Ok(())
}

/// The scale-out that joined the run and is not over, if there is one.
pub(crate) async fn still_joining(aws: &Aws, run: &Run) -> Result<Option<RunId>, StepError> {
    for joined in run.joined.iter().rev() {
        let joined = RunRef { fleet: run.run.fleet.clone(), id: joined.clone() };
        let over = aws.ledger().run(&joined).await?.is_none_or(|run| matches!(run.record.phase, Phase::Ended(_)));
        if !over {
            return Ok(Some(joined.id));
        }
    }
    Ok(None)
}
