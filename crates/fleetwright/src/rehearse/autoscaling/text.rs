//! The figures of each policy as text.

use super::report::Report;
use crate::length::length;
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let (scaling, trace) = (&report.scaling, &report.trace);
    writeln!(
        out,
        "{}: {} to {} members at {} % CPU, each serves {:.3} requests/s at 100 %{}",
        report.fleet,
        scaling.min,
        scaling.max,
        scaling.target_cpu,
        report.per_member,
        if report.per_member_given { "" } else { ", estimated from the trace" }
    )?;
    writeln!(
        out,
        "\n  {:<16} {:>15} {:>10} {:>10} {:>13} {:>8} {:>12}",
        "", "over the target", "late", "lost", "member-hours", "actions", "largest lag"
    )?;
    for row in &report.policies {
        writeln!(
            out,
            "  {:<16} {:>11} min {:>10} {:>10} {:>13.1} {:>8} {:>12}",
            row.policy,
            row.minutes_over_target,
            row.requests_late,
            row.requests_lost,
            row.member_hours,
            row.scaling_actions,
            length(row.largest_lag_seconds as f64)
        )?;
    }
    writeln!(out)?;
    if let Some((minutes, hours)) = report.against_target_tracking() {
        writeln!(
            out,
            "  against target tracking: {minutes:+.1} % minutes over the target, {hours:+.1} % member-hours"
        )?;
    }
    let sent = report.policies.first().map_or(0, |row| row.requests);
    writeln!(
        out,
        "  trace: {}: {} steps of {} s, {} missing, {} to {}, {sent} requests",
        trace.file, trace.known_steps, trace.step_seconds, trace.missing_steps, trace.start, trace.end
    )
}
