//! `quiet-hours`: the quietest window for an upgrade, from a trace of request counts in a file.

use crate::length::parse_span;
use crate::output::Output;
use crate::rehearse::{self, Ending, SAMPLE};
use crate::{Exit, Streams};
use clap::Args;
use fleet::{Config, LocalZone, Period, QuietError, QuietWindow, Seen, Span, Trace, Version, Windows, quietest};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::{Display, Write};
use std::path::{Path, PathBuf};

const SCHEMA_VERSION: u32 = 1;

/// The trace in which to find the window, and what the window is for.
#[derive(Debug, Args)]
pub struct QuietHoursArgs {
    /// Request counts: a CSV file with the columns `timestamp` (`YYYY-MM-DD HH:MM:SS` in UTC, or RFC 3339) and `value`, one
    /// row for each step of time. Two weeks or more give a weekly pattern, two days or more a daily one.
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// How long the upgrade takes, such as 45m. By default, as long as a rehearsed upgrade to the next minor version.
    #[arg(long, value_name = "TIME", value_parser = parse_span, conflicts_with = "config")]
    pub length: Option<Span>,
    /// The configuration file of the fleet whose upgrade is rehearsed.
    #[arg(long, value_name = "FILE", default_value = SAMPLE)]
    pub config: PathBuf,
    /// The time zone in which the weekly pattern repeats: a name of the IANA database, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub time_zone: LocalZone,
    /// The window begins at this time or within a week after it, such as 2026-03-01T04:05:00Z. By default, the end of the
    /// trace.
    #[arg(long, value_name = "TIME")]
    pub after: Option<Timestamp>,
    /// How to print the window.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What is printed: the window, and what it was found from.
#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    trace: Read,
    /// How the length of the upgrade is known.
    length: Length,
    /// The window begins then or within the week after it.
    after: Timestamp,
    #[serde(flatten)]
    window: QuietWindow,
}

/// What the trace is.
#[derive(Debug, Serialize)]
struct Read {
    file: String,
    step_seconds: i64,
    known_steps: usize,
    missing_steps: u64,
    end: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
enum Length {
    /// It was given.
    Option,
    /// A rehearsal of this upgrade took as long.
    Rehearsal { from: Version, to: Version },
}

/// Why there is no answer.
struct Stop(Exit, String);

/// Reads the trace, finds the window and shows it.
pub(crate) fn run(args: &QuietHoursArgs, streams: &mut Streams<'_>) -> Exit {
    let shown = answer(args).and_then(|answer| match args.output {
        Output::Text => Ok(text(&answer)),
        Output::Json => serde_json::to_string_pretty(&answer).map_err(|error| Stop(Exit::Error, error.to_string())),
    });
    match shown {
        Ok(shown) => {
            streams.data(shown.trim_end());
            Exit::Done
        }
        Err(Stop(exit, problem)) => {
            let word = if exit == Exit::Refused { "refused" } else { "error" };
            streams.talk(format!("{word}: {problem}"));
            exit
        }
    }
}

fn answer(args: &QuietHoursArgs) -> Result<Answer, Stop> {
    let bad = |error: &dyn Display| in_file(&args.trace, error);
    let trace = Trace::from_csv(&read(&args.trace)?).map_err(|error| bad(&error))?;
    let after = args.after.unwrap_or(trace.end());
    let (length, how) = match args.length {
        Some(length) => (length, Length::Option),
        None => rehearsed(&args.config)?,
    };
    let window =
        quietest(&trace, &args.time_zone, length, &Windows::default(), after).map_err(|error| match error {
            // No windows are given here.
            QuietError::TooLittle { .. } | QuietError::Unknown { .. } | QuietError::NotPermitted(_) => bad(&error),
            QuietError::Length { .. } | QuietError::After { .. } => Stop(Exit::BadInput, format!("--{error}")),
        })?;
    let read = Read {
        file: args.trace.display().to_string(),
        step_seconds: trace.step_seconds(),
        known_steps: trace.known(),
        missing_steps: trace.missing(),
        end: trace.end(),
    };
    Ok(Answer { schema_version: SCHEMA_VERSION, trace: read, length: how, after, window })
}

fn read(file: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(file).map_err(|error| in_file(file, &error))
}

fn in_file(file: &Path, problem: &dyn Display) -> Stop {
    Stop(Exit::BadInput, format!("{}: {problem}", file.display()))
}

/// How long an upgrade to the next minor version takes in a rehearsal.
fn rehearsed(file: &Path) -> Result<(Span, Length), Stop> {
    let config = Config::from_toml(&read(file)?).map_err(|error| in_file(file, &error))?;
    let from = config.fleet.version;
    let Some(to) = config.upgrade.hops.iter().copied().find(|hop| hop.minor() > from.minor()) else {
        let problem = format!("upgrade.hops: no version after {from}, so no upgrade to rehearse: say --length instead");
        return Err(in_file(file, &problem));
    };
    let plan = rehearse::RehearsalSpec { config, goal: rehearse::Goal::Upgrade { to }, faults: Vec::new() };
    let run = rehearse::rehearse(&plan, &mut |_| {}).map_err(|problem| Stop(Exit::Error, problem))?;
    if run.outcome != Ending::Upgraded {
        let reason = run.reason.as_deref().unwrap_or("no reason given");
        let problem = format!("an upgrade to {to} does not go through in a rehearsal ({:?}): {reason}", run.outcome);
        return Err(Stop(Exit::Refused, format!("{}: {problem}", file.display())));
    }
    // A float that is too large becomes the longest span there is.
    Ok((Span::seconds(run.virtual_seconds.ceil() as u32), Length::Rehearsal { from, to }))
}

fn text(answer: &Answer) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, answer);
    out
}

fn write_text(out: &mut String, answer: &Answer) -> std::fmt::Result {
    let Answer { trace, window, .. } = answer;
    let start = window.start.strftime("%A %-d %B %Y, %H:%M");
    let end = match window.end.date() == window.start.date() {
        true => window.end.strftime("%H:%M"),
        false => window.end.strftime("%A %H:%M"),
    };
    writeln!(out, "{start} to {end}, {} ({})", window.time_zone, window.start.strftime("UTC%:z"))?;
    writeln!(out, "  because   {}", window.because)?;
    if !window.seen.is_empty() {
        let latest = window.seen.iter().rev().take(4).map(|seen| format!("{} {:.0}", on(seen), seen.requests));
        let latest = latest.collect::<Vec<_>>().join(", ");
        let more = window.seen.len().saturating_sub(4);
        let more = if more > 0 { format!(", and {more} before") } else { String::new() };
        writeln!(out, "  seen      {latest}{more}")?;
    }
    if let Some(best) = &window.best {
        let (often, once) = (&best.recurring, &best.single);
        let what = match window.pattern {
            Period::Week => often.start.strftime("%A %H:%M"),
            Period::Day => often.start.strftime("%H:%M"),
        };
        let (a, b) = (often.requests, once.requests);
        writeln!(
            out,
            "  best      {a:.0} on average on {what}, and {b:.0} once, on {}, as is known afterwards",
            on(once)
        )?;
    }
    let length = Span::seconds(window.length_seconds);
    match &answer.length {
        Length::Option => writeln!(out, "  length    {length}, as given")?,
        Length::Rehearsal { from, to } => {
            writeln!(out, "  length    {length}, as a rehearsed upgrade from {from} to {to} took")?;
        }
    }
    let Read { file, step_seconds: step, known_steps: known, missing_steps: missing, end } = trace;
    writeln!(out, "  trace     {file}: {known} steps of {step} s, {missing} missing, up to {end}")
}

/// The day, and the time of day.
fn on(seen: &Seen) -> impl Display {
    seen.start.strftime("%a %Y-%m-%d %H:%M").to_string()
}
