//! `approve` and `abort`: an operator's answers to a run.

use super::stack::{Execution, ExecutionId, Stack};
use super::stop::Stop;
use super::{RunArgs, WatchOptions, watch};
use crate::{Exit, Streams};
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use clap::Args;
use fleet::{Abort, Phase, Run};
use functions::{Named, Versioned};
use serde_json::json;

/// The run to abort.
#[derive(Debug, Args)]
pub(crate) struct AbortArgs {
    #[command(flatten)]
    of: RunArgs,
    /// Return as soon as the abort is recorded, without watching the run.
    #[arg(long, conflicts_with = "timeout")]
    detach: bool,
    #[command(flatten)]
    watching: WatchOptions,
}

/// Lets a run that awaits approval delete the leaving members.
pub(crate) async fn approve(args: &RunArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let run = stack.run(&args.fleet, args.run.as_ref()).await?.record;
    let Phase::AwaitingApproval { token } = &run.phase else {
        return Err(Stop::refused(format!("{} is {}, not awaiting approval", run.run, run.phase.as_str())));
    };
    if let Some(abort) = &run.abort {
        return Err(Stop::refused(format!("{} rolls back: {} aborted it", run.run, abort.by)));
    }
    let answer = json!({"approved_by": stack.caller}).to_string();
    let sent = stack.step_functions.send_task_success().task_token(token).output(answer).send().await;
    if let Err(error) = &sent
        && error.as_service_error().is_some_and(|error| {
            use SendTaskSuccessError::{InvalidToken, TaskDoesNotExist, TaskTimedOut};
            matches!(error, InvalidToken(_) | TaskDoesNotExist(_) | TaskTimedOut(_))
        })
    {
        return Err(no_longer_waits(&run));
    }
    sent.of("SendTaskSuccess")?;
    streams.talk(format!("approved: {} continues and deletes the leaving members", run.run));
    Ok(Exit::Done)
}

/// Makes a run roll back, and watches it do so.
pub(crate) async fn abort(args: &AbortArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let run = record_abort(stack, &args.of).await?;
    let by = &stack.caller;
    if let Phase::AwaitingApproval { token } = &run.phase {
        let failure = stack.step_functions.send_task_failure().task_token(token).error("Aborted");
        let sent = failure.cause(format!("aborted by {by}")).send().await;
        let gone = sent.as_ref().err().and_then(|error| error.as_service_error()).is_some_and(|error| {
            use SendTaskFailureError::{InvalidToken, TaskDoesNotExist, TaskTimedOut};
            matches!(error, InvalidToken(_) | TaskDoesNotExist(_) | TaskTimedOut(_))
        });
        // If no task waits for the answer any more, the next step sees the abort in the ledger.
        if !gone {
            sent.of("SendTaskFailure")?;
        }
    }
    streams.talk(format!("{} rolls back to the members that were in service before it", run.run));
    if run.migration_asked.is_some() {
        streams.talk("a migration of the data has begun: the abort interrupts it and does not undo it");
    }
    if args.detach {
        return Ok(Exit::Done);
    }
    match watch::until_over(stack, &run.run, &ExecutionId::of(&run), &args.watching, streams).await? {
        // The operator asked for this outcome.
        Exit::RolledBack => Ok(Exit::Done),
        other => Ok(other),
    }
}

/// Records the abort in the ledger. A run that already rolls back stays as it is.
async fn record_abort(stack: &Stack, of: &RunArgs) -> Result<Run, Stop> {
    let run = stack.run(&of.fleet, of.run.as_ref()).await?.record;
    if !matches!(run.phase, Phase::Ended(_))
        && !matches!(stack.describe(&ExecutionId::of(&run)).await?, Execution::Running)
    {
        return Err(Stop::dead(&run.run, run.phase.as_str()));
    }
    stack
        .retry_on_conflict(async || {
            let mut run: Versioned<Run> = stack.run(&of.fleet, of.run.as_ref()).await?;
            match run.record.phase {
                Phase::Forward | Phase::AwaitingApproval { .. } => {}
                Phase::RollingBack => return Ok(run.record),
                Phase::Committed | Phase::Ended(_) => {
                    let (run, phase) = (&run.record.run, run.record.phase.as_str());
                    return Err(Stop::refused(format!("{run} is {phase}: it can no longer roll back")));
                }
            }
            run.record.abort.get_or_insert(Abort { by: stack.caller.clone(), at: stack.now() });
            stack.ledger.write(&mut run).await?;
            Ok(run.record)
        })
        .await
}

fn no_longer_waits(run: &Run) -> Stop {
    Stop::refused(format!("{} no longer waits for this approval: see 'fleetwright status', then try again", run.run))
}
