//! `history`: a fleet's runs, the latest first.

use super::shown_run::ShownRun;
use super::stack::Stack;
use super::stop::Stop;
use super::{FleetArgs, show};
use crate::length::length;
use crate::{Exit, Streams};
use serde::Serialize;

#[derive(Serialize)]
struct History {
    schema_version: u32,
    runs: Vec<ShownRun>,
}

pub(crate) async fn run(args: &FleetArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let name = stack.fleet(&args.fleet).await?.record.config.fleet.name;
    let runs = stack.ledger.runs(&name).await?;
    let history =
        History { schema_version: 1, runs: runs.into_iter().map(|run| ShownRun::new(run, Vec::new())).collect() };
    show(streams, args.output, &history, text)?;
    Ok(Exit::Done)
}

fn text(history: &History) -> String {
    if history.runs.is_empty() {
        return "no run yet".to_owned();
    }
    let widest = history.runs.iter().map(|run| run.run.as_str().len()).max().unwrap_or(0);
    let lines = history.runs.iter().map(|run| {
        let took = run.seconds.map_or_else(|| "running".to_owned(), length);
        let failure = run.failure.as_deref().and_then(|failure| failure.lines().next()).unwrap_or_default();
        let released = run.released.as_ref().map(|release| format!(", released by {}", release.by)).unwrap_or_default();
        let line = format!(
            "{:widest$}  {:.0}  {:>8}  {} -> {}  {}{released}  {failure}",
            run.run, run.started, took, run.from, run.to, run.outcome
        );
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
