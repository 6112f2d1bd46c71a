//! The command against a deployed stack: through Step Functions, the ledger and one function that only looks, so that
//! an operator needs no rights on EC2 of their own.

mod alarms;
mod answer;
mod apply;
mod doctor;
mod golden_image;
mod history;
mod images;
mod plan;
mod repair;
mod revert;
mod scale;
mod schedule;
mod shown_run;
mod stack;
mod status;
mod stop;
mod upgrade;
mod watch;

use crate::cli::{Operate, Output};
use crate::{Exit, Streams};
use serde::Serialize;
use stack::Stack;
use stop::Stop;

/// Connects, does what is asked, and says why if it could not be done.
pub(crate) fn run(what: &Operate, streams: &mut Streams<'_>) -> Exit {
    match runtime().and_then(|runtime| runtime.block_on(perform(what, streams))) {
        Ok(exit) => exit,
        Err(stop) => {
            streams.talk(&stop);
            stop.exit
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Stop::error(format!("no runtime: {error}")))
}

async fn perform(what: &Operate, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    // What an operator typed is looked at before anything is called.
    match what {
        Operate::Apply(args) => {
            apply::run(&apply::read(&args.config)?, &Stack::connect().await?, args.output, streams).await
        }
        Operate::Plan(args) => plan::run(&Stack::connect().await?, args, streams).await,
        Operate::Upgrade(args) => upgrade::run(upgrade::read(args)?, &Stack::connect().await?, args, streams).await,
        Operate::Status(args) => status::run(&Stack::connect().await?, args, streams).await,
        Operate::Watch(args) => watch::run(&Stack::connect().await?, args, streams).await,
        Operate::History(args) => history::run(&Stack::connect().await?, args, streams).await,
        Operate::Approve(args) => answer::approve(&Stack::connect().await?, args, streams).await,
        Operate::Abort(args) => answer::abort(&Stack::connect().await?, args, streams).await,
        Operate::Revert(args) => revert::run(&Stack::connect().await?, args, streams).await,
        Operate::Scale(args) => scale::run(scale::read(args)?, &Stack::connect().await?, args, streams).await,
        Operate::GoldenImage(args) => golden_image::run(&Stack::connect().await?, args, streams).await,
        Operate::Images(args) => images::run(&Stack::connect().await?, args, streams).await,
        Operate::Doctor(args) => doctor::run(&Stack::connect().await?, args, streams).await,
        Operate::Repair(args) => repair::run(&Stack::connect().await?, args, streams).await,
    }
}

/// Shows a result in the form that was asked for.
fn show<T: Serialize>(
    streams: &mut Streams<'_>,
    output: Output,
    result: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Stop> {
    match output {
        Output::Text => streams.data(text(result).trim_end()),
        Output::Json => {
            let json = serde_json::to_string_pretty(result);
            streams.data(json.map_err(|error| Stop::error(error.to_string()))?);
        }
    }
    Ok(())
}
