//! The command reference: every command and its arguments as Markdown, generated from the definition of the command line.

use super::Command;
use clap::{Arg, CommandFactory};

const HEAD: &str = "\
# Command reference

<!-- Generated from the definition of the command line. A test compares it; change the doc comments in crates/fleetwright. -->

";

/// Every command with its description, usage and arguments, as the Markdown page `docs/reference/commands.md`.
pub fn command_reference() -> String {
    let mut root = Command::command();
    root.build();
    let mut commands = Vec::new();
    collect(&root, &mut commands);
    let mut page = HEAD.to_owned();
    page.push_str(&about(&root));
    page.push_str("\nEvery command takes these options:\n\n");
    root.get_arguments().filter(|arg| arg.is_global_set()).for_each(|arg| page.push_str(&item(arg)));
    page.push_str("\n| command | what it does |\n|---|---|\n");
    for command in &commands {
        let name = title(command);
        let summary = command.get_about().map(sentence).unwrap_or_default();
        page.push_str(&format!("| [`{name}`](#{}) | {summary} |\n", name.replace(' ', "-")));
    }
    for command in commands {
        page.push_str(&section(command));
    }
    page
}

/// The commands in the order of the help text, each group before its commands.
fn collect<'c>(command: &'c clap::Command, commands: &mut Vec<&'c clap::Command>) {
    for one in command.get_subcommands().filter(|one| one.get_name() != "help" && !one.is_hide_set()) {
        commands.push(one);
        collect(one, commands);
    }
}

fn section(command: &clap::Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let mut text = format!("\n## {}\n\n{}\n```text\n{usage}\n```\n", title(command), about(command));
    let aliases: Vec<_> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        text.push_str(&format!("\nAlias: {}\n", aliases.join(", ")));
    }
    let own = |arg: &&Arg| {
        !arg.is_global_set() && !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str())
    };
    let items: String = command.get_arguments().filter(own).map(item).collect();
    if !items.is_empty() {
        text.push_str(&format!("\n{items}"));
    }
    text
}

/// The command as it is typed, such as `fleetwright rehearse upgrade`.
fn title(command: &clap::Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).to_owned()
}

/// The description, one line for each paragraph.
fn about(command: &clap::Command) -> String {
    let about = command.get_long_about().or(command.get_about()).map(sentence).unwrap_or_default();
    about + "\n"
}

/// An argument as an item of a list: how it is typed, what it means, its default and its values.
fn item(arg: &Arg) -> String {
    let mut text = format!("- `{arg}`");
    if arg.is_required_set() {
        text.push_str(" (required)");
    }
    let help = arg.get_long_help().or(arg.get_help()).map(sentence).unwrap_or_default();
    text.push_str(&format!(": {}", help.replace("\n\n", " ")));
    let takes_value = arg.get_action().takes_values();
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if takes_value && !defaults.is_empty() {
        text.push_str(&format!(" Default: {}.", defaults.join(", ")));
    }
    if let Some(variable) = arg.get_env() {
        text.push_str(&format!(" Environment variable: `{}`.", variable.to_string_lossy()));
    }
    text.push('\n');
    if takes_value {
        for value in arg.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
            let help = value.get_help().map(|help| format!(": {}", sentence(help))).unwrap_or_default();
            text.push_str(&format!("  - `{}`{help}\n", value.get_name()));
        }
    }
    text
}

/// A text that ends with a full stop; clap removes the one of a single paragraph.
fn sentence(text: &clap::builder::StyledStr) -> String {
    let text = text.to_string();
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', ':']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_every_command_with_its_defaults_values_and_aliases() {
        let page = command_reference();
        for words in [
            "## fleetwright rehearse upgrade\n",
            "fleetwright upgrade [OPTIONS]",
            "- `--to <VERSION>` (required): The version to upgrade to, such as 1.4.14.",
            "Default: `samplconfig.toml`.",
            "Environment variable: `FLEETWRIGHT_FLEET`.",
            "  - `json`: One JSON object",
            "Alias: `rollback`",
            "| [`fleetwright release`](#fleetwright-release) |",
            "- `--no-color`: Print without colors",
        ] {
            assert!(page.contains(words), "'{words}' is not in:\n{page}");
        }
        assert!(!page.contains("fleetwright help") && !page.contains("`--help`"), "{page}");
    }
}
