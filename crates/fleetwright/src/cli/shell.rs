//! `completions` and `man`: shell completions and man pages, generated from the definition of the command line.

use crate::{Exit, Streams};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The shell that completes the command line.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Where man pages go.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this directory, which is created if it does not exist. By default, the page
    /// fleetwright(1) goes to standard output.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completion script.
pub(super) fn completions(mut command: clap::Command, args: &CompletionsArgs, streams: &mut Streams<'_>) -> Exit {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "fleetwright", &mut script);
    streams.data(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}

/// Prints the man page, or writes all pages.
pub(super) fn man(command: clap::Command, args: &ManArgs, streams: &mut Streams<'_>) -> Exit {
    let written = match &args.dir {
        Some(dir) => std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir)),
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut page);
            rendered.map(|()| streams.data(String::from_utf8_lossy(&page).trim_end()))
        }
    };
    match (written, &args.dir) {
        (Ok(()), _) => Exit::Done,
        (Err(error), dir) => {
            let place = dir.as_ref().map(|dir| format!("{}: ", dir.display())).unwrap_or_default();
            streams.talk(format!("error: {place}{error}"));
            Exit::Error
        }
    }
}
