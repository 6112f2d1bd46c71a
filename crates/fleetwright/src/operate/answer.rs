//! `approve` and `abort`: a person's answers to a run.

use super::stack::{Execution, Stack, Started};
use super::stop::Stop;
use super::watch;
use crate::cli::{Abort as Args, OfRun};
use crate::{Exit, Streams};
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use fleet::{Abort, Phase, Run};
use functions::{Named, Versioned};
use serde_json::json;

/// Lets a run that waits for it delete the old members.
pub(super) async fn approve(stack: &Stack, args: &OfRun, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let run = stack.run(&args.fleet, args.run.as_ref()).await?.record;
    let Phase::AwaitingApproval { token } = &run.phase else {
        return Err(Stop::refused(format!("{} is {}, not awaiting approval", run.run, run.phase.as_str())));
    };
    if let Some(abort) = &run.abort {
        return Err(Stop::refused(format!("{} turns back: {} aborted it", run.run, abort.by)));
    }
    let answer = json!({"approved_by": stack.caller}).to_string();
    let sent = stack.step_functions.send_task_success().task_token(token).output(answer).send().await;
    if let Err(error) = &sent
        && error.as_service_error().is_some_and(|error| {
            use SendTaskSuccessError::{InvalidToken, TaskDoesNotExist, TaskTimedOut};
            matches!(error, InvalidToken(_) | TaskDoesNotExist(_) | TaskTimedOut(_))
        })
    {
        return Err(no_longer_asked(&run));
    }
    sent.of("SendTaskSuccess")?;
    streams.talk(format!("approved: {} goes on to delete the old members", run.run));
    Ok(Exit::Done)
}

/// Makes a run turn back, and watches it do so.
pub(super) async fn abort(stack: &Stack, args: &Args, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let run = ask_to_turn_back(stack, &args.of).await?;
    let by = &stack.caller;
    if let Phase::AwaitingApproval { token } = &run.phase {
        let failure = stack.step_functions.send_task_failure().task_token(token).error("Aborted");
        let sent = failure.cause(format!("aborted by {by}")).send().await;
        let gone = sent.as_ref().err().and_then(|error| error.as_service_error()).is_some_and(|error| {
            use SendTaskFailureError::{InvalidToken, TaskDoesNotExist, TaskTimedOut};
            matches!(error, InvalidToken(_) | TaskDoesNotExist(_) | TaskTimedOut(_))
        });
        // Nobody waits for the answer any more, so the next step sees the wish in the ledger.
        if !gone {
            sent.of("SendTaskFailure")?;
        }
    }
    streams.talk(format!("{} is to turn back: the members that were there before are restored", run.run));
    if run.migration_asked.is_some() {
        streams.talk("a migration of the data was begun; what goes on of it is cut off, and nothing of it is undone");
    }
    if args.detach {
        return Ok(Exit::Done);
    }
    match watch::until_over(stack, &run.run, &Started::of(&run), &args.watching, streams).await? {
        // That is what was asked for.
        Exit::RolledBack => Ok(Exit::Done),
        other => Ok(other),
    }
}

async fn ask_to_turn_back(stack: &Stack, of: &OfRun) -> Result<Run, Stop> {
    let run = stack.run(&of.fleet, of.run.as_ref()).await?.record;
    if !matches!(run.phase, Phase::Ended(_)) && !matches!(stack.describe(&Started::of(&run)).await?, Execution::Going) {
        return Err(Stop::dead(&run.run, run.phase.as_str()));
    }
    stack
        .retry_on_conflict(async || {
            let mut run: Versioned<Run> = stack.run(&of.fleet, of.run.as_ref()).await?;
            match run.record.phase {
                Phase::Forward | Phase::AwaitingApproval { .. } => {}
                Phase::RollingBack => return Ok(run.record),
                Phase::Committed | Phase::Ended(_) => {
                    let (what, stands) = (&run.record.run, run.record.phase.as_str());
                    return Err(Stop::refused(format!("{what} is {stands}: there is nothing to turn back")));
                }
            }
            run.record.abort.get_or_insert(Abort { by: stack.caller.clone(), at: stack.now() });
            stack.ledger.write(&mut run).await?;
            Ok(run.record)
        })
        .await
}

fn no_longer_asked(run: &Run) -> Stop {
    Stop::refused(format!("{} no longer waits for this approval: look at its status and ask again", run.run))
}
