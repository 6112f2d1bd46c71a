//! The report page of a rehearsed run: its steps over time, the members in service and the requests that each of them serves,
//! as graphs and as tables. The page is one HTML file without links to others.

use super::outcome::Rehearsed;
use crate::length::length;
use std::fmt::Write;

/// The style of all report pages.
pub(super) const STYLE: &str = include_str!("style.css");

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const ROW: f64 = 17.0;
const HEIGHT: f64 = 120.0;
const BELOW: f64 = 22.0;

/// The report page of `run`, in which clients send `rate` requests per second.
pub(super) fn page(run: &Rehearsed, rate: f64) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, run, rate);
    out
}

fn write(out: &mut String, run: &Rehearsed, rate: f64) -> std::fmt::Result {
    let Rehearsed { from, to, size, seed, capacity, requests, .. } = run;
    let outcome = run.outcome.as_str();
    let what = match run.workflow {
        "upgrade" => format!("Upgrade {from} to {to}"),
        "golden-image" => format!("A golden image of {to}"),
        out_or_in => format!("{} on {to}", if out_or_in == "scale-out" { "Scale out" } else { "Scale in" }),
    };
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{what}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{what}: {outcome}</h1>"
    )?;
    writeln!(
        out,
        "<p>{size} members, seed {seed}: {} of virtual time; the physical limit was {}. At least {} of {} members were in service \
         throughout; {} requests were sent and {} were lost.</p>",
        length(run.virtual_seconds),
        length(run.limit_seconds),
        capacity.lowest,
        capacity.floor,
        requests.sent,
        requests.failed
    )?;
    if let Some(reason) = &run.reason {
        writeln!(out, "<p>{}</p>", escaped(reason))?;
    }
    let time = Time { seconds: run.virtual_seconds.max(1.0) };
    writeln!(out, "<h2>Steps</h2>")?;
    steps(out, run, time)?;
    let members = run.capacity.series.iter().map(|(at, count)| (*at, f64::from(*count))).collect::<Vec<_>>();
    writeln!(out, "<h2>Members in service</h2>")?;
    step_graph(out, "members in service", "capacity", &members, time)?;
    let each =
        members.iter().map(|(at, count)| (*at, if *count > 0.0 { rate / count } else { 0.0 })).collect::<Vec<_>>();
    writeln!(out, "<h2>Requests per second and member</h2>")?;
    step_graph(out, "requests per second for each member in service", "cpu", &each, time)?;
    numbers(out, run, rate)?;
    writeln!(out, "</body>\n</html>")
}

/// Scales the run's length to the page's width.
#[derive(Clone, Copy)]
struct Time {
    seconds: f64,
}

impl Time {
    fn x(self, at: f64) -> f64 {
        LEFT + (WIDTH - LEFT) * (at / self.seconds).clamp(0.0, 1.0)
    }

    /// Draws a vertical line with its time at each sixth of the run.
    fn grid(self, out: &mut String, height: f64) -> std::fmt::Result {
        for sixth in 0..=6 {
            let at = self.seconds * f64::from(sixth) / 6.0;
            let x = self.x(at);
            writeln!(out, "<path class=\"grid\" d=\"M{x:.1} 0V{height:.1}\"/>")?;
            let anchor = if sixth == 6 { " class=\"left\"" } else { "" };
            writeln!(out, "<text x=\"{x:.1}\" y=\"{:.1}\"{anchor}>{}</text>", height + BELOW - 6.0, length(at))?;
        }
        Ok(())
    }
}

fn open(out: &mut String, title: &str, height: f64) -> std::fmt::Result {
    let (width, height) = (WIDTH + 8.0, height + BELOW + 8.0);
    writeln!(out, "<svg viewBox=\"0 -8 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\">")
}

fn steps(out: &mut String, run: &Rehearsed, time: Time) -> std::fmt::Result {
    let height = ROW * run.steps.len() as f64;
    open(out, "the steps over time", height)?;
    time.grid(out, height)?;
    for (n, step) in run.steps.iter().enumerate() {
        let y = ROW * n as f64;
        let (start, end) = (time.x(step.started), time.x(step.ended));
        let class = if step.error.is_some() { "failed" } else { "step" };
        let name = escaped(&step.name);
        writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"left\">{name}</text>", LEFT - 6.0, y + 12.0)?;
        writeln!(
            out,
            "<rect class=\"{class}\" x=\"{start:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{name}: {} to {}, {} attempts</title></rect>",
            y + 3.0,
            (end - start).max(1.5),
            ROW - 6.0,
            length(step.started),
            length(step.ended),
            step.attempts
        )?;
    }
    writeln!(out, "</svg>")
}

/// Draws a value that stays the same from each point to the next.
fn step_graph(out: &mut String, title: &str, class: &str, points: &[(f64, f64)], time: Time) -> std::fmt::Result {
    let top = points.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let y = |value: f64| HEIGHT * (1.0 - value / top);
    open(out, title, HEIGHT)?;
    time.grid(out, HEIGHT)?;
    for value in [0.0, top / 2.0, top] {
        writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"left\">{value:.1}</text>", LEFT - 6.0, y(value) + 4.0)?;
    }
    let mut path = String::new();
    for (n, (at, value)) in points.iter().enumerate() {
        let x = time.x(*at);
        if n == 0 {
            write!(path, "M{x:.1} {:.1}", y(*value))?;
        } else {
            write!(path, "H{x:.1}V{:.1}", y(*value))?;
        }
    }
    writeln!(out, "<path class=\"{class}\" d=\"{path}H{WIDTH:.1}\"/>\n</svg>")
}

fn numbers(out: &mut String, run: &Rehearsed, rate: f64) -> std::fmt::Result {
    writeln!(out, "<details>\n<summary>The numbers in the graphs</summary>\n<table>")?;
    writeln!(out, "<tr><th>step</th><th>from, in seconds</th><th>to</th><th>attempts</th></tr>")?;
    for step in &run.steps {
        writeln!(
            out,
            "<tr><th>{}</th><td>{:.3}</td><td>{:.3}</td><td>{}</td></tr>",
            escaped(&step.name),
            step.started,
            step.ended,
            step.attempts
        )?;
    }
    writeln!(
        out,
        "</table>\n<table>\n<tr><th>from, in seconds</th><th>members in service</th><th>requests per second and member</th></tr>"
    )?;
    for (at, members) in &run.capacity.series {
        let each = if *members > 0 { rate / f64::from(*members) } else { 0.0 };
        writeln!(out, "<tr><th>{at:.3}</th><td>{members}</td><td>{each:.2}</td></tr>")?;
    }
    writeln!(out, "</table>\n</details>")
}

/// Text with its HTML special characters escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
