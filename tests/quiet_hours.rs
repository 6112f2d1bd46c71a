//! `quiet-hours` turns a trace into an answer, or into one error message. The tests generate the traces.

use crate::command::{Ran, run};
use crate::emulators::{Scratch, file};
use clap::Parser;
use fleetwright::{Exit, cli::Command};
use serde_json::{Value, json};

/// Five-minute counts in UTC, from Monday 2 March 2026. Each day has its minimum at 03:00, and Sunday is quieter.
fn counts(days: u32) -> Vec<String> {
    let count = |step: u32| {
        let (day, minute) = (step / 288, step % 288 * 5);
        let from_night = minute.abs_diff(180).min(1440 - minute.abs_diff(180));
        (50 + from_night / 4) * if day % 7 == 6 { 3 } else { 4 }
    };
    let time = |step: u32| format!("2026-03-{:02} {:02}:{:02}:00", 2 + step / 288, step % 288 / 12, step % 12 * 5);
    (0..days * 288).map(|step| format!("{},{}", time(step), count(step))).collect()
}

/// Runs `quiet-hours` on a trace with these rows. The output calls the file `trace.csv`.
fn answer(rows: &[String], options: &str) -> Ran {
    written(&format!("timestamp,value\n{}\n", rows.join("\n")), options)
}

fn written(text: &str, options: &str) -> Ran {
    let scratch = Scratch::new();
    let path = scratch.path().join("trace.csv");
    std::fs::write(&path, text).unwrap();
    let ran = run(format!("quiet-hours --trace {} {options}", path.display()).trim_end());
    Ran { out: ran.out.replace(&path.display().to_string(), "trace.csv"), ..ran }
}

#[track_caller]
fn refused(ran: &Ran, says: &[&str]) {
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{}", ran.err);
    for words in says {
        assert!(ran.err.contains(words), "'{words}' is not in: {}", ran.err);
    }
}

#[test]
fn the_answer_reads_well() {
    let mut rows = counts(14);
    // A gap on Tuesday, and a peak in the quietest hour of the second Sunday.
    rows.drain(300..340);
    for row in rows.iter_mut().filter(|row| ["2026-03-15 02:", "2026-03-15 03:"].iter().any(|at| row.starts_with(at))) {
        row.push_str("00");
    }
    let ran = answer(&rows, "--length 45m --time-zone Europe/Berlin");
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    insta::assert_snapshot!(ran.out);
}

#[test]
fn the_json_has_the_documented_fields() {
    let object = |options: &str| -> Value {
        let ran = answer(&counts(14), &format!("--length 45m --output json {options}"));
        serde_json::from_str(&ran.out).unwrap()
    };
    let answer = object("");
    let mut keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let documented = [
        "after",
        "because",
        "best",
        "end",
        "expected_requests",
        "length",
        "length_seconds",
        "mean_requests",
        "pattern",
        "peak_requests",
        "schema_version",
        "seen",
        "share_of_mean",
        "start",
        "time_zone",
        "trace",
    ];
    assert_eq!(keys, documented);
    let times = |answer: &Value| ["start", "end"].map(|key| answer[key].as_str().unwrap().to_owned());
    assert_eq!(times(&answer), ["2026-03-22T02:45:00+00:00", "2026-03-22T03:30:00+00:00"]);
    assert_eq!((&answer["pattern"], &answer["length"]), (&json!("week"), &json!({"by": "option"})));
    let starts = |seen: &Value| seen.as_array().unwrap().iter().map(|seen| seen["start"].clone()).collect::<Vec<_>>();
    assert_eq!(starts(&answer["seen"]), ["2026-03-08T02:45:00+00:00", "2026-03-15T02:45:00+00:00"]);
    assert_eq!(object(""), answer);
    // In Berlin's time zone, on the Sunday on which daylight saving time begins.
    let changed = object("--time-zone Europe/Berlin --after 2026-03-23T00:00:00Z");
    assert_eq!(times(&changed), ["2026-03-29T03:45:00+02:00", "2026-03-29T04:30:00+02:00"]);
}

#[test]
fn without_the_length_option_a_rehearsal_gives_the_length() {
    let sample = file("samplconfig.toml");
    let ran = answer(&counts(14), &format!("--output json --config {}", sample.display()));
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(object["length"], json!({"by": "rehearsal", "from": "1.3.8", "to": "1.4.14"}));
    let rehearsed: Value = serde_json::from_str(&crate::command::rehearse("--to 1.4.14 --output json").out).unwrap();
    assert_eq!(object["length_seconds"].as_f64().unwrap(), rehearsed["virtual_seconds"].as_f64().unwrap().ceil());
}

#[test]
fn a_configuration_that_cannot_be_rehearsed_is_rejected() {
    let sample = std::fs::read_to_string(file("samplconfig.toml")).unwrap();
    let with = |from: &str, to: &str| {
        let scratch = Scratch::new();
        let path = scratch.path().join("fleet.toml");
        std::fs::write(&path, sample.replacen(from, to, 1)).unwrap();
        answer(&counts(14), &format!("--config {}", path.display()))
    };
    refused(&with("\"1.3.8\"", "\"2.7.1\""), &["fleet.toml: upgrade.hops: no version after 2.7.1", "--length"]);
    refused(&with("size = 3", "size = 0"), &["fleet.toml", "fleet.size"]);
    let full = with("max_connections = 65536", "max_connections = 209");
    assert_eq!((full.exit, full.out.as_str()), (Exit::Refused, ""));
    assert!(full.err.contains("fleet.toml: an upgrade to 1.4.14 does not succeed in a rehearsal"), "{}", full.err);
}

#[test]
fn an_invalid_trace_is_rejected() {
    let with = |place: usize, row: &str| {
        let mut rows = counts(14);
        rows[place] = row.to_owned();
        answer(&rows, "--length 45m")
    };
    refused(&with(2, "2026-03-02 00:10:00,-4"), &["trace.csv: row 4, value: -4 is not a count"]);
    refused(&with(2, "2026-03-02 00:10:00,"), &["trace.csv: row 4, value: missing"]);
    refused(&with(2, "2026-03-02 00:10:00"), &["trace.csv: row 4: 1 field", "timestamp and value"]);
    refused(&with(2, "2026-03-02 00:12:00,4"), &["trace.csv: row 4, timestamp", "420 s", "a multiple of 300 s"]);
    refused(&with(2, "2026-03-02 00:05:00,4"), &["trace.csv: row 4, timestamp", "is the time of row 3"]);
    refused(&with(2, "02/03/2026 00:10,4"), &["trace.csv: row 4, timestamp: '02/03/2026 00:10' is not a time"]);
    let of = |text: &str| written(text, "--length 45m");
    refused(
        &of("time,requests\n2026-03-02 00:00:00,4\n"),
        &["trace.csv: row 1", "'time,requests'", "'timestamp,value'"],
    );
    refused(&of("timestamp,value\n2026-03-02 00:00:00,4\n"), &["trace.csv: a single row", "two rows"]);
    refused(&of(""), &["trace.csv: row 1", "'timestamp,value'"]);
    refused(&answer(&counts(1), "--length 45m"), &["trace.csv: the trace covers only 24 h", "two weeks", "two days"]);
    refused(&run("quiet-hours --trace nowhere.csv --length 45m"), &["nowhere.csv", "No such file"]);
}

#[test]
fn a_length_that_no_week_can_hold_is_rejected() {
    refused(&answer(&counts(14), "--length 0s"), &["--length: 0s cannot be placed in a week", "1s to 168h"]);
    refused(&answer(&counts(14), "--length 169h"), &["--length: 169h cannot be placed in a week"]);
}

#[test]
fn invalid_options_are_rejected() {
    let says = |options: &str| {
        let line = ["fleetwright", "quiet-hours", "--trace", "trace.csv"].into_iter().chain(options.split(' '));
        let error = Command::try_parse_from(line).unwrap_err();
        assert_eq!(error.exit_code(), Exit::BadInput as i32);
        error.to_string()
    };
    assert!(says("--time-zone Europe/Berlim").contains("'Europe/Berlim' is not a time zone: expected a name"));
    assert!(says("--length soon").contains("'soon' is not a length of time"));
    assert!(says("--after tomorrow").contains("--after <TIME>"));
    assert!(says("--length 1h --config fleet.toml").contains("cannot be used with"));
}
