//! Runs the command in this process, as `main` does.

use crate::emulators::Scratch;
use clap::Parser;
use fleetwright::{Exit, Streams, cli::Command};

/// How a command line ended, and what it printed.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Runs a command line, given without the program's name. Single spaces separate its words.
pub fn run(line: &str) -> Ran {
    let command = Command::try_parse_from(["fleetwright"].into_iter().chain(line.split(' '))).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = command.run(&mut Streams { out: &mut out, err: &mut err, terminal: false });
    Ran { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Rehearses an upgrade of the sample fleet, or of the configuration that the line names.
pub fn rehearse(line: &str) -> Ran {
    let sample = crate::emulators::file("samplconfig.toml");
    let config = if line.contains("--config") { String::new() } else { format!(" --config {}", sample.display()) };
    run(&format!("rehearse upgrade {line}{config}"))
}

#[test]
fn every_shell_gets_a_completion_script() {
    for (shell, words) in
        [("bash", "complete -F _fleetwright"), ("zsh", "#compdef fleetwright"), ("fish", "complete -c fleetwright")]
    {
        let ran = run(&format!("completions {shell}"));
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
        assert!(ran.out.contains(words) && ran.out.contains("golden-image"), "{shell}: {}", ran.out);
    }
}

#[test]
fn man_prints_the_page_of_the_command_and_writes_one_page_for_each_command() {
    let page = run("man");
    assert_eq!((page.exit, page.err.as_str()), (Exit::Done, ""));
    assert!(page.out.contains(".TH fleetwright 1"), "{}", page.out);
    let scratch = Scratch::new();
    let dir = scratch.path().join("pages/man1");
    let written = run(&format!("man --dir {}", dir.display()));
    assert_eq!((written.exit, written.out.as_str(), written.err.as_str()), (Exit::Done, "", ""));
    for page in ["fleetwright.1", "fleetwright-release.1", "fleetwright-rehearse-upgrade.1"] {
        assert!(dir.join(page).is_file(), "{page}");
    }
    let file = scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = run(&format!("man --dir {}", file.display()));
    assert_eq!(refused.exit, Exit::Error);
    assert!(refused.err.contains("file: "), "{}", refused.err);
}
