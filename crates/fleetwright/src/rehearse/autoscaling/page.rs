//! The report page: the figures, and demand, capacity and CPU over time. One HTML file without links to others.

use super::ReplaySpec;
use super::replay::{Minute, Replayed};
use super::report::Report;
use crate::length::length;
use crate::rehearse::page::{STYLE, escaped};
use jiff::Timestamp;
use std::fmt::Write;

/// The most points of a graph. More cannot be told apart on a screen.
const POINTS: usize = 480;
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 52.0;
const BELOW: f64 = 22.0;

/// A policy's minutes, averaged into the points of a graph.
struct Series {
    /// The number of minutes of a point.
    minutes: usize,
    points: Vec<Point>,
}

/// The averages of some minutes, and the CPU of the busiest of them.
struct Point {
    mean: Minute,
    busiest: f64,
}

impl Series {
    fn of(replayed: &Replayed) -> Self {
        let minutes = replayed.minutes.len().div_ceil(POINTS).max(1);
        let point = |some: &[Minute]| {
            let mean = |of: fn(&Minute) -> f64| some.iter().map(of).sum::<f64>() / some.len() as f64;
            let (demand, capacity) = (mean(|minute| minute.demand), mean(|minute| minute.capacity));
            Point {
                mean: Minute { demand, capacity, cpu: mean(|minute| minute.cpu) },
                busiest: some.iter().map(|minute| minute.cpu).fold(0.0, f64::max),
            }
        };
        Self { minutes, points: replayed.minutes.chunks(minutes).map(point).collect() }
    }
}

pub(super) fn page(report: &Report, spec: &ReplaySpec, replayed: &[(&'static str, Replayed)]) -> String {
    let all_series: Vec<_> = replayed.iter().map(|(policy, replayed)| (*policy, Series::of(replayed))).collect();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, report, spec, &all_series);
    out
}

fn write(out: &mut String, report: &Report, spec: &ReplaySpec, all_series: &[(&str, Series)]) -> std::fmt::Result {
    let (scaling, trace) = (&report.scaling, &report.trace);
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Scaling of {0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Scaling of {0}</h1>",
        escaped(&report.fleet)
    )?;
    writeln!(
        out,
        "<p>{} to {} members at {} % CPU; each serves {:.3} requests per second at 100 %. The trace is {}, {} to {}, seed {}.</p>",
        scaling.min,
        scaling.max,
        scaling.target_cpu,
        report.per_member,
        escaped(&trace.file),
        trace.start,
        trace.end,
        report.seed
    )?;
    totals(out, report)?;
    let each = all_series.first().map_or(1, |(_, series)| series.minutes);
    writeln!(
        out,
        "<p class=\"key\"><span class=\"demand\">demand</span> <span class=\"capacity\">capacity at the target</span> \
         <span class=\"cpu\">CPU in percent</span> <span class=\"busiest\">CPU of the busiest minute</span> \
         <span class=\"target\">target</span><br>Demand and capacity are in requests per second. All values but the busiest minute are \
         averages over {each} min.</p>"
    )?;
    let top = all_series
        .iter()
        .flat_map(|(_, series)| &series.points)
        .map(|point| point.mean.demand.max(point.mean.capacity));
    let top = nice(top.fold(0.0, f64::max));
    for (policy, series) in all_series {
        writeln!(out, "<h2>{policy}</h2>")?;
        let chart = Chart { start: spec.demand.start, seconds: spec.demand.seconds, series };
        chart.requests(out, policy, top)?;
        chart.cpu(out, policy, scaling.target_cpu.into())?;
    }
    numbers(out, spec, all_series)?;
    writeln!(out, "</body>\n</html>")
}

fn totals(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "<table>\n<tr><th>policy</th><th>minutes over the target</th><th>requests late</th><th>requests lost</th>\
         <th>member-hours</th><th>scaling actions</th><th>largest lag</th></tr>"
    )?;
    for row in &report.policies {
        writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td></tr>",
            row.policy,
            row.minutes_over_target,
            row.requests_late,
            row.requests_lost,
            row.member_hours,
            row.scaling_actions,
            length(row.largest_lag_seconds as f64)
        )?;
    }
    writeln!(out, "</table>")
}

/// The points of the graphs as a table.
fn numbers(out: &mut String, spec: &ReplaySpec, all_series: &[(&str, Series)]) -> std::fmt::Result {
    let Some((_, first)) = all_series.first() else { return Ok(()) };
    writeln!(
        out,
        "<details>\n<summary>The numbers in the graphs</summary>\n<table>\n<tr><th>from</th><th>demand</th>"
    )?;
    for (policy, _) in all_series {
        writeln!(out, "<th>{policy}: capacity</th><th>{policy}: CPU</th><th>{policy}: busiest minute</th>")?;
    }
    writeln!(out, "</tr>")?;
    for (n, point) in first.points.iter().enumerate() {
        write!(out, "<tr><th>{}</th><td>{:.3}</td>", at(spec.demand.start, n * first.minutes * 60), point.mean.demand)?;
        for point in all_series.iter().filter_map(|(_, series)| series.points.get(n)) {
            write!(
                out,
                "<td>{:.3}</td><td>{:.1}</td><td>{:.1}</td>",
                point.mean.capacity, point.mean.cpu, point.busiest
            )?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</table>\n</details>")
}

fn at(start: i64, second: usize) -> String {
    let at = Timestamp::from_second(start + second as i64).unwrap_or(Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

struct Chart<'a> {
    start: i64,
    seconds: i64,
    series: &'a Series,
}

impl Chart<'_> {
    fn requests(&self, out: &mut String, policy: &str, top: f64) -> std::fmt::Result {
        self.open(out, &format!("demand and capacity of {policy}"), top, "")?;
        let area = self.path(top, |point| point.mean.demand);
        let (left, right) = (LEFT, WIDTH);
        writeln!(out, "<path class=\"demand\" d=\"{area}L{right:.1} {HEIGHT:.1}L{left:.1} {HEIGHT:.1}Z\"/>")?;
        writeln!(out, "<path class=\"capacity\" d=\"{}\"/>\n</svg>", self.path(top, |point| point.mean.capacity))
    }

    fn cpu(&self, out: &mut String, policy: &str, target: f64) -> std::fmt::Result {
        self.open(out, &format!("CPU of {policy}"), 100.0, " %")?;
        let y = HEIGHT * (1.0 - target / 100.0);
        writeln!(out, "<path class=\"busiest\" d=\"{}\"/>", self.path(100.0, |point| point.busiest))?;
        writeln!(out, "<path class=\"cpu\" d=\"{}\"/>", self.path(100.0, |point| point.mean.cpu))?;
        writeln!(out, "<path class=\"target\" d=\"M{LEFT:.1} {y:.1}H{WIDTH:.1}\"/>\n</svg>")
    }

    fn path(&self, top: f64, of: impl Fn(&Point) -> f64) -> String {
        let steps = self.series.points.len().max(2) - 1;
        let point = |(n, point): (usize, &Point)| {
            let x = LEFT + (WIDTH - LEFT) * n as f64 / steps as f64;
            let y = HEIGHT * (1.0 - of(point).min(top) / top);
            format!("{}{x:.1} {y:.1}", if n == 0 { 'M' } else { 'L' })
        };
        self.series.points.iter().enumerate().map(point).collect()
    }

    /// Opens a graph with a line at each quarter of the height and a time at each sixth of the width.
    fn open(&self, out: &mut String, title: &str, top: f64, unit: &str) -> std::fmt::Result {
        writeln!(
            out,
            "<svg viewBox=\"0 -8 {:.0} {:.0}\" role=\"img\" aria-label=\"{title}\">",
            WIDTH + 8.0,
            HEIGHT + BELOW + 8.0
        )?;
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let y = HEIGHT * (1.0 - share);
            let label = format!("{}{unit}", number(top * share));
            writeln!(out, "<path class=\"grid\" d=\"M{LEFT:.1} {y:.1}H{WIDTH:.1}\"/>")?;
            writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"left\">{label}</text>", LEFT - 6.0, y + 4.0)?;
        }
        for sixth in 0..6 {
            let second = self.seconds * sixth / 6;
            let x = LEFT + (WIDTH - LEFT) * sixth as f64 / 6.0;
            let label = at(self.start, second as usize);
            writeln!(out, "<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>", HEIGHT + BELOW - 6.0, &label[5..])?;
        }
        Ok(())
    }
}

/// The least product of 1, 2, 4, 8 or 10 and a power of ten that is not below `value`.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0].map(|times| times * power).into_iter().find(|nice| *nice >= value).unwrap_or(value)
}

fn number(value: f64) -> String {
    let text = if value >= 10.0 { format!("{value:.1}") } else { format!("{value:.3}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let check = |value, top| assert_eq!((nice(value), number(nice(value)).as_str()), top);
        check(0.0, (1.0, "1"));
        check(0.33, (0.4, "0.4"));
        check(41.0, (80.0, "80"));
        check(8.5, (10.0, "10"));
        assert_eq!(escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
    }
}
