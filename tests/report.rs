//! `rehearse --report`: the HTML page that shows a rehearsed upgrade.

use crate::command::rehearse;
use crate::emulators::Scratch;
use fleetwright::Exit;
use serde_json::Value;

#[test]
fn the_report_of_an_upgrade_has_every_step_and_loads_no_other_resource() {
    let scratch = Scratch::new();
    let file = scratch.path().join("run.html");
    let ran = rehearse(&format!("--to 1.4.14 --output json --report {}", file.display()));
    assert_eq!(ran.exit, Exit::Done);
    let run: Value = serde_json::from_str(&ran.out).unwrap();
    let page = std::fs::read_to_string(&file).unwrap();
    for step in run["steps"].as_array().unwrap() {
        let name = step["name"].as_str().unwrap();
        let row = format!("<tr><th>{name}</th><td>{:.3}</td>", step["started"].as_f64().unwrap());
        assert!(page.contains(&row), "{row}");
    }
    assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
    assert_eq!(page.matches("<svg ").count(), 3);
    for reference in ["http://", "https://", "<script", "<link", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn the_error_for_a_report_that_cannot_be_written_names_its_path() {
    let ran = rehearse("--to 1.4.14 --report /nowhere/run.html");
    assert_eq!(ran.exit, Exit::Error);
    assert!(ran.err.contains("error: /nowhere/run.html: No such file"), "{}", ran.err);
}
