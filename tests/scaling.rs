//! `rehearse autoscaling` turns a trace into figures and a report, or into one error message. The tests generate the
//! traces.

use crate::command::{Ran, run};
use crate::emulators::{Scratch, file};
use clap::Parser;
use fleetwright::{Exit, cli::Command};
use serde_json::Value;
use std::f64::consts::TAU;

/// One-minute counts in UTC, from 2 March 2026. `rate` gives the requests per second for a time in hours.
fn trace(hours: u32, rate: impl Fn(f64) -> f64) -> String {
    let row = |minute: u32| {
        let (day, of_day) = (2 + minute / 1440, minute % 1440);
        let count = 60.0 * rate(f64::from(minute) / 60.0);
        format!("2026-03-{day:02} {:02}:{:02}:00,{count:.0}\n", of_day / 60, of_day % 60)
    };
    std::iter::once("timestamp,value\n".to_owned()).chain((0..hours * 60).map(row)).collect()
}

/// 10 requests per second, and 40 between hours 2 and 4.
fn step() -> String {
    trace(6, |hour| if (2.0..4.0).contains(&hour) { 40.0 } else { 10.0 })
}

/// Two days, each with its minimum at 03:00.
fn days() -> String {
    trace(48, |hour| 30.0 - 20.0 * (TAU * (hour - 3.0) / 24.0).cos())
}

/// Rehearses with this trace. The output calls its file `trace.csv`. `REPORT` in the options is a file beside it.
fn rehearse(trace: &str, options: &str) -> (Ran, Option<String>) {
    let scratch = Scratch::new();
    let (path, report) = (scratch.path().join("trace.csv"), scratch.path().join("report.html"));
    std::fs::write(&path, trace).unwrap();
    let sample = file("samplconfig.toml");
    let config = if options.contains("--config") { String::new() } else { format!(" --config {}", sample.display()) };
    let options = options.replace("REPORT", &report.display().to_string());
    let ran = run(format!("rehearse autoscaling --trace {}{config} {options}", path.display()).trim_end());
    let nameless = |text: String| text.replace(&path.display().to_string(), "trace.csv");
    let page = std::fs::read_to_string(&report).ok().map(nameless);
    (Ran { out: nameless(ran.out), err: nameless(ran.err), ..ran }, page)
}

fn object(trace: &str, options: &str) -> Value {
    let (ran, _) = rehearse(trace, &format!("--output json {options}"));
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    serde_json::from_str(&ran.out).unwrap()
}

/// One figure of one policy.
#[track_caller]
fn figure(object: &Value, policy: &str, key: &str) -> f64 {
    let rows = object["policies"].as_array().unwrap();
    rows.iter().find(|row| row["policy"] == policy).unwrap()[key].as_f64().unwrap()
}

#[test]
fn the_figures_read_well() {
    let (ran, _) = rehearse(&step(), "--per-member 10");
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    insta::assert_snapshot!(ran.out);
    assert_eq!(rehearse(&step(), "--per-member 10").0.out, ran.out);
    assert_ne!(rehearse(&step(), "--per-member 10 --seed 2").0.out, ran.out);
}

#[test]
fn the_json_has_the_documented_fields() {
    let object = object(&days(), "");
    assert_eq!(object["schema_version"], 1);
    let keys = |object: &Value| {
        let mut keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    let documented = [
        "fleet",
        "members_at_start",
        "per_member",
        "per_member_given",
        "policies",
        "policy",
        "scaling",
        "schema_version",
        "seed",
        "trace",
    ];
    assert_eq!(keys(&object), documented);
    let documented = [
        "largest_lag_seconds",
        "member_hours",
        "minutes",
        "minutes_over_target",
        "policy",
        "requests",
        "requests_late",
        "requests_lost",
        "scaling_actions",
    ];
    let rows = object["policies"].as_array().unwrap();
    rows.iter().for_each(|row| assert_eq!(keys(row), documented));
    let names: Vec<_> = rows.iter().map(|row| row["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["ours", "target-tracking", "oracle"]);
    // At the busiest time of the day 12 members are at 50 % CPU.
    assert!((object["per_member"].as_f64().unwrap() - 50.0 / 6.0).abs() < 0.1, "{object}");
    assert_eq!((&object["per_member_given"], &object["trace"]["known_steps"]), (&false.into(), &2880.into()));
}

#[test]
fn the_chosen_policy_comes_first() {
    let names = |options: &str| -> Vec<String> {
        let rows = object(&step(), options)["policies"].clone();
        rows.as_array().unwrap().iter().map(|row| row["policy"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("--policy step"), ["step", "target-tracking", "oracle"]);
    assert_eq!(names("--policy target-tracking"), ["target-tracking", "oracle"]);
}

#[test]
fn our_policy_is_less_over_the_target_than_target_tracking_and_the_oracle_is_least() {
    let ramp = trace(6, |hour| 8.0 + 50.0 * (1.0 - (hour - 3.0).abs() / 3.0));
    let spike = trace(4, |hour| if (2.0..2.2).contains(&hour) { 50.0 } else { 10.0 });
    let waves = trace(24, |hour| 25.0 + 15.0 * (TAU * hour).sin());
    for (name, trace) in [("step", step()), ("ramp", ramp), ("spike", spike), ("days", days()), ("waves", waves)] {
        let object = object(&trace, "--per-member 10");
        let over = |policy: &str| figure(&object, policy, "minutes_over_target");
        assert!(over("ours") < over("target-tracking"), "{name}: {object}");
        for policy in ["ours", "target-tracking"] {
            assert!(over("oracle") <= over(policy), "{name}: {object}");
            let requests =
                ["requests_late", "requests_lost"].map(|key| figure(&object, policy, key)).iter().sum::<f64>();
            assert!(requests <= figure(&object, policy, "requests"), "{name}: {object}");
        }
        assert_eq!(figure(&object, "oracle", "requests_lost"), 0.0, "{name}: {object}");
        assert!(
            figure(&object, "oracle", "member_hours") < figure(&object, "ours", "member_hours"),
            "{name}: {object}"
        );
    }
}

#[test]
fn a_steady_load_changes_nothing() {
    let object = object(&trace(3, |_| 14.0), "--per-member 10");
    for policy in ["ours", "target-tracking", "oracle"] {
        let figures =
            ["minutes_over_target", "requests_late", "scaling_actions", "largest_lag_seconds", "member_hours"];
        assert_eq!(figures.map(|key| figure(&object, policy, key)), [0.0, 0.0, 0.0, 0.0, 9.0], "{policy}");
    }
}

#[test]
fn the_report_loads_no_other_resource() {
    let (ran, page) = rehearse(&days(), "--report REPORT");
    assert_eq!(ran.exit, Exit::Done);
    let page = page.unwrap();
    for reference in ["http", "src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.starts_with("<!doctype html>") && page.contains("prefers-color-scheme: dark"));
    // Two charts for each policy (demand with capacity, and CPU), and a table with all the numbers.
    assert_eq!(page.matches("<svg").count(), 6);
    assert_eq!(page.matches("</tr>").count(), 4 + 481);
    assert!(!page.contains("NaN") && !page.contains("inf"));
    let figures = object(&days(), "");
    let over = figure(&figures, "ours", "minutes_over_target");
    assert!(page.contains(&format!("<tr><th>ours</th><td>{over}</td>")));
}

#[track_caller]
fn refused((ran, _): &(Ran, Option<String>), says: &[&str]) {
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{}", ran.err);
    for words in says {
        assert!(ran.err.contains(words), "'{words}' is not in: {}", ran.err);
    }
}

#[test]
fn an_invalid_trace_is_rejected() {
    refused(&rehearse("", ""), &["trace.csv: row 1", "'timestamp,value'"]);
    let rows = |rows: &str| rehearse(&format!("timestamp,value\n{rows}"), "");
    refused(&rows("2026-03-02 00:00:00,4\n"), &["trace.csv: a single row"]);
    refused(&rows("2026-03-02 00:00:00,4\n2026-03-02 00:05:00,-4\n"), &["trace.csv: row 3, value: -4 is not a count"]);
    let nothing = "2026-03-02 00:00:00,0\n2026-03-02 00:05:00,0\n";
    refused(&rows(nothing), &["trace.csv: 99 of 100 steps have no request", "--per-member"]);
    let years = "2020-03-02 00:00:00,4\n2020-03-02 00:05:00,4\n2026-03-02 00:00:00,4\n";
    refused(&rows(years), &["trace.csv: the trace spans 2191 days: expected fewer than 366"]);
    // `scaling` is the command's alias.
    let missing = run("rehearse scaling --trace nowhere.csv --config nowhere.toml");
    assert!(missing.err.contains("nowhere.toml: No such file"), "{}", missing.err);
}

#[test]
fn a_missing_or_invalid_scaling_section_is_rejected() {
    let sample = std::fs::read_to_string(file("samplconfig.toml")).unwrap();
    let with = |text: &str| {
        let scratch = Scratch::new();
        let path = scratch.path().join("fleet.toml");
        std::fs::write(&path, text).unwrap();
        rehearse(&step(), &format!("--config {}", path.display()))
    };
    let (before, section) = sample.split_once("[scaling]").unwrap();
    let after = section.split_once("\n[").unwrap().1;
    refused(
        &with(&format!("{before}[{after}")),
        &["fleet.toml: scaling: the section is missing", "min, max and target_cpu"],
    );
    refused(&with(&sample.replace("min = 2 ", "min = 20 ")), &["fleet.toml: scaling.min: 20 is above scaling.max, 12"]);
    refused(&with(&sample.replace("target_cpu = 50", "target_cpu = 0")), &["fleet.toml: scaling.target_cpu: 0 %"]);
}

#[test]
fn invalid_options_are_rejected() {
    let says = |options: &str| {
        let line =
            ["fleetwright", "rehearse", "autoscaling", "--trace", "trace.csv"].into_iter().chain(options.split(' '));
        let error = Command::try_parse_from(line).unwrap_err();
        assert_eq!(error.exit_code(), Exit::BadInput as i32);
        error.to_string()
    };
    for rate in ["0", "-1", "NaN", "inf", "many"] {
        assert!(
            says(&format!("--per-member={rate}")).contains("is not a rate: expected requests per second"),
            "{rate}"
        );
    }
    assert!(says("--policy theirs").contains("possible values: ours, target-tracking, step"));
    refused(&rehearse(&step(), "--report /nowhere/report.html"), &["/nowhere/report.html: No such file"]);
}
