//! `quiet-hours`: finds the quietest window for an upgrade in a trace of request counts.

use crate::length::parse_span;
use crate::output::Output;
use crate::rehearse::{self, Ending, RehearsalError, SAMPLE};
use crate::{Exit, Streams};
use clap::Args;
use fleet::{
    Config, ConfigError, LocalZone, Period, QuietError, QuietWindow, Seen, Span, Trace, TraceError, Version, Windows,
    quietest,
};
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

/// The printed object: the window, and what it was found from.
#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    trace: TraceRead,
    /// Where the length of the upgrade comes from.
    length: Length,
    /// The window begins at this time or within the week after it.
    after: Timestamp,
    #[serde(flatten)]
    window: QuietWindow,
}

/// The trace that was read.
#[derive(Debug, Serialize)]
struct TraceRead {
    file: String,
    step_seconds: i64,
    known_steps: usize,
    missing_steps: u64,
    end: Timestamp,
}

/// Where the length of the upgrade comes from.
#[derive(Debug, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
enum Length {
    /// From `--length`.
    Option,
    /// From a rehearsal of this upgrade, which took as long.
    Rehearsal { from: Version, to: Version },
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
enum NoWindow {
    #[error("{}: {error}", file.display())]
    Read { file: PathBuf, error: std::io::Error },
    #[error("{}: {error}", file.display())]
    Trace { file: PathBuf, error: TraceError },
    #[error("{}: {error}", file.display())]
    NotInTrace { file: PathBuf, error: QuietError },
    #[error("--{0}")]
    Option(QuietError),
    #[error("{}: {error}", file.display())]
    Config { file: PathBuf, error: ConfigError },
    #[error("{}: upgrade.hops: no version after {from}, so no upgrade to rehearse: pass --length instead", file.display())]
    NothingToRehearse { file: PathBuf, from: Version },
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    #[error("{}: an upgrade to {to} does not succeed in a rehearsal ({ending:?}): {reason}", file.display())]
    NotUpgraded { file: PathBuf, to: Version, ending: Ending, reason: String },
}

impl NoWindow {
    fn exit(&self) -> Exit {
        match self {
            Self::Rehearsal(_) => Exit::Error,
            Self::NotUpgraded { .. } => Exit::Refused,
            _ => Exit::BadInput,
        }
    }
}

/// Reads the trace, finds the window and prints it.
pub(crate) fn run(args: &QuietHoursArgs, streams: &mut Streams<'_>) -> Exit {
    match answer(args) {
        Ok(answer) => match streams.show(args.output, &answer, text) {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Error,
        },
        Err(error) => {
            let word = if error.exit() == Exit::Refused { "refused" } else { "error" };
            streams.talk(format!("{word}: {error}"));
            error.exit()
        }
    }
}

fn answer(args: &QuietHoursArgs) -> Result<Answer, NoWindow> {
    let file = &args.trace;
    let trace = Trace::from_csv(&read(file)?).map_err(|error| NoWindow::Trace { file: file.clone(), error })?;
    let after = args.after.unwrap_or(trace.end());
    let (length, how) = match args.length {
        Some(length) => (length, Length::Option),
        None => rehearsed(&args.config)?,
    };
    let window =
        quietest(&trace, &args.time_zone, length, &Windows::default(), after).map_err(|error| match error {
            // `NotPermitted` cannot occur: the command searches the whole week.
            QuietError::TooLittle { .. } | QuietError::Unknown { .. } | QuietError::NotPermitted(_) => {
                NoWindow::NotInTrace { file: file.clone(), error }
            }
            QuietError::Length { .. } | QuietError::After { .. } => NoWindow::Option(error),
        })?;
    let read = TraceRead {
        file: args.trace.display().to_string(),
        step_seconds: trace.step_seconds(),
        known_steps: trace.known(),
        missing_steps: trace.missing(),
        end: trace.end(),
    };
    Ok(Answer { schema_version: SCHEMA_VERSION, trace: read, length: how, after, window })
}

fn read(file: &Path) -> Result<String, NoWindow> {
    std::fs::read_to_string(file).map_err(|error| NoWindow::Read { file: file.to_owned(), error })
}

/// How long an upgrade to the next minor version takes in a rehearsal.
fn rehearsed(file: &Path) -> Result<(Span, Length), NoWindow> {
    let file = file.to_owned();
    let config = match Config::from_toml(&read(&file)?) {
        Ok(config) => config,
        Err(error) => return Err(NoWindow::Config { file, error }),
    };
    let from = config.fleet.version;
    let Some(to) = config.upgrade.hops.iter().copied().find(|hop| hop.minor() > from.minor()) else {
        return Err(NoWindow::NothingToRehearse { file, from });
    };
    let spec = rehearse::RehearsalSpec::new(config, rehearse::Goal::Upgrade { to });
    let run = rehearse::rehearse(&spec, &mut |_| {})?;
    if run.outcome != Ending::Upgraded {
        let reason = run.reason.unwrap_or_else(|| "no reason given".to_owned());
        return Err(NoWindow::NotUpgraded { file, to, ending: run.outcome, reason });
    }
    // The cast saturates, so a longer rehearsal gives the longest span that exists.
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
        writeln!(out, "  best      in hindsight: {a:.0} on average on {what}, and {b:.0} once, on {}", on(once))?;
    }
    let length = Span::seconds(window.length_seconds);
    match &answer.length {
        Length::Option => writeln!(out, "  length    {length}, as given")?,
        Length::Rehearsal { from, to } => {
            writeln!(out, "  length    {length}, as a rehearsed upgrade from {from} to {to} took")?;
        }
    }
    let TraceRead { file, step_seconds: step, known_steps: known, missing_steps: missing, end } = trace;
    writeln!(out, "  trace     {file}: {known} steps of {step} s, {missing} missing, up to {end}")
}

/// The day and the time of day of a past window.
fn on(seen: &Seen) -> impl Display {
    seen.start.strftime("%a %Y-%m-%d %H:%M").to_string()
}
