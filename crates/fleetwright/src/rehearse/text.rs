//! The result of a rehearsal as text.

use super::outcome::{Ending, Rehearsed};
use crate::length::length;
use console::Style;
use std::fmt::Write;

/// The width of the bars, in characters.
const WIDTH: f64 = 32.0;

/// The outcome first, then where the time went, then what the run used.
pub(super) fn render(rehearsed: &Rehearsed) -> String {
    let mut out = String::new();
    let r = rehearsed;
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, r);
    out
}

fn write_all(out: &mut String, r: &Rehearsed) -> std::fmt::Result {
    let members = if r.size == 1 { "1 member" } else { &format!("{} members", r.size) };
    let what = match (r.workflow, r.members.len()) {
        ("upgrade", _) => format!("{} -> {}, {members}", r.from, r.to),
        ("golden-image", _) => format!("{}, {members}", r.to),
        (_, now) => format!("{}, {} -> {now} members", r.to, r.size),
    };
    writeln!(out, "{} {what}, seed {}", headline(r.outcome), r.seed)?;
    if let Some(reason) = &r.reason {
        writeln!(out, "  because  {reason}")?;
    }
    if r.outcome == Ending::Refused || r.outcome == Ending::Unchanged {
        return write_invariants(out, r);
    }
    let (took, limit) = (r.virtual_seconds, r.limit_seconds);
    writeln!(
        out,
        "  took     {} of virtual time; the physical limit was {} ({:.3} of it)",
        length(took),
        length(limit),
        took / limit
    )?;
    writeln!(out)?;
    let widest = r.steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    for step in &r.steps {
        let bar = bar(step.started / took, step.ended / took);
        let polled = if step.attempts == 1 { String::new() } else { format!("  polled {} times", step.attempts) };
        let error = step.error.as_ref().map(|error| format!("  {error}")).unwrap_or_default();
        writeln!(out, "  {:widest$}  {:>7}  {bar}{polled}{error}", step.name, length(step.ended - step.started))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "  capacity    {} in service at the start, never below {}: {}",
        r.capacity.floor,
        r.capacity.lowest,
        plateaus(r)
    )?;
    writeln!(out, "  requests    {} sent, {} lost", r.requests.sent, r.requests.failed)?;
    let total: u64 = r.calls.values().sum();
    let calls = r.calls.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    writeln!(out, "  AWS calls   {total}: {calls}")?;
    writeln!(out, "  workflow    {} state transitions", r.transitions)?;
    writeln!(out, "  cost        about ${:.2}: the additional instances and the services", r.cost_usd)?;
    write_invariants(out, r)?;
    for member in r.members.iter().take(10) {
        let version = member.version.as_deref().unwrap_or("?");
        let service = if member.in_service { "in service" } else { "not in service" };
        writeln!(out, "  member      {} {version} {} {} {service}", member.id, member.image, member.zone)?;
    }
    if r.members.len() > 10 {
        writeln!(out, "              and {} more", r.members.len() - 10)?;
    }
    Ok(())
}

fn write_invariants(out: &mut String, r: &Rehearsed) -> std::fmt::Result {
    for missed in &r.missed_faults {
        writeln!(out, "  {}      {missed} found no call", Style::new().yellow().apply_to("missed"))?;
    }
    let checked = &r.invariants.checked;
    if r.invariants.violated.is_empty() {
        return writeln!(out, "  invariants  all {} hold: {}", checked.len(), checked.join(", "));
    }
    for violation in &r.invariants.violated {
        writeln!(out, "  {}  {violation}", Style::new().red().bold().apply_to("VIOLATED"))?;
    }
    Ok(())
}

fn headline(outcome: Ending) -> console::StyledObject<&'static str> {
    let style = match outcome {
        Ending::Upgraded | Ending::Scaled | Ending::ImageTaken | Ending::Unchanged => Style::new().green(),
        Ending::RolledBack | Ending::Refused => Style::new().yellow(),
        Ending::Frozen => Style::new().red(),
    };
    style.bold().apply_to(outcome.as_str())
}

/// A step's place on the time line of the run; both ends are shares of its length.
fn bar(from: f64, to: f64) -> String {
    let before = (from * WIDTH).floor() as usize;
    let length = (((to - from) * WIDTH).round() as usize).max(1);
    let after = (WIDTH as usize + 1).saturating_sub(before + length);
    format!("{}{}{}", "·".repeat(before), "█".repeat(length), "·".repeat(after))
}

/// How many members were in service, and from when on, without what lasted less than 15 s.
fn plateaus(r: &Rehearsed) -> String {
    const PLATEAU: f64 = 15.0;
    let ends = r.capacity.series.iter().skip(1).map(|(at, _)| *at).chain([f64::INFINITY]);
    let lasting = r.capacity.series.iter().zip(ends).filter(|((at, _), end)| end - at >= PLATEAU);
    let mut parts: Vec<String> = Vec::new();
    for ((at, count), _) in lasting {
        parts.push(if *at == 0.0 { count.to_string() } else { format!("{count} from {}", length(*at)) });
    }
    parts.join(", ")
}
