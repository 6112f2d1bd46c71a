//! The documentation agrees with the repository: links resolve, command lines parse, and the README shows real output.

use crate::command::rehearse;
use crate::emulators::file;
use clap::Parser;
use clap::error::ErrorKind;
use fleetwright::cli::Command;
use pulldown_cmark::{CodeBlockKind, Event, Options, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const README_LINES: usize = 120;

/// Placeholders in command lines, and values that the command accepts in their place.
const PLACEHOLDERS: [(&str, &str); 2] = [("NAME", "appwrite"), ("RUN", "appwrite-1-4-14-20260104-030000")];

/// One page of the documentation.
struct Page {
    path: PathBuf,
    links: Vec<String>,
    /// The anchors of its headings, as GitHub and mdBook derive them.
    anchors: BTreeSet<String>,
    /// Code blocks, each with its language.
    blocks: Vec<(String, String)>,
    /// Code in the middle of a sentence.
    inline_code: Vec<String>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut page = Self { path, links: vec![], anchors: BTreeSet::new(), blocks: vec![], inline_code: vec![] };
        let (mut heading, mut block) = (None, None);
        for event in pulldown_cmark::Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Html(html) | Event::InlineHtml(html) => page.links.extend(sources(&html)),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.add_anchor(&heading.take().unwrap()),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    block = Some((language.into_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.inline_code.push(code.into_string());
                }
                Event::Text(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    } else if let Some((_, block)) = &mut block {
                        block.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }

    fn add_anchor(&mut self, heading: &str) {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let anchor = heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
        let numbered = (1..).map(|n| format!("{anchor}-{n}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }

    fn blocks_in<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a str> {
        self.blocks.iter().filter(move |(of, _)| of == language).map(|(_, text)| text.as_str())
    }
}

/// The files that HTML shows.
fn sources(html: &str) -> impl Iterator<Item = String> {
    let values = ["src=\"", "srcset=\""].into_iter().flat_map(|attribute| html.split(attribute).skip(1));
    values.filter_map(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned())
}

/// The pages of the book, without its summary.
fn book() -> Vec<PathBuf> {
    let mut folders = vec![file("docs")];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("SUMMARY.md") {
                pages.push(path);
            }
        }
    }
    pages.sort_unstable();
    pages
}

fn documentation() -> Vec<Page> {
    let root = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/SUMMARY.md"].map(file);
    root.into_iter().filter(|path| path.exists()).chain(book()).map(Page::read).collect()
}

/// What is wrong with a link of a page, if anything is.
fn broken(page: &Page, link: &str) -> Option<&'static str> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(path) };
    let Ok(target) = target.canonicalize() else { return Some("there is no such file") };
    if is_in_book(&page.path) && !is_in_book(&target) {
        return Some("it leads out of the book");
    }
    let has_anchor = || Page::read(target).anchors.contains(anchor);
    (!anchor.is_empty() && !has_anchor()).then_some("there is no such heading")
}

fn is_in_book(path: &Path) -> bool {
    path.canonicalize().unwrap().starts_with(file("docs").canonicalize().unwrap())
}

#[test]
fn every_relative_link_resolves() {
    let mut wrong = Vec::new();
    for page in documentation() {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            wrong.extend(broken(&page, link).map(|why| format!("{}: {link}: {why}", page.path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words of each command of ours in a shell script, with `fleetwright` as the first word.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in script.replace("\\\n", " ").lines() {
        let words = shlex::split(line).unwrap_or_else(|| panic!("a quotation mark is missing: {line}"));
        for command in words.split(|word| matches!(word.as_str(), "&&" | "||" | "|" | ";")) {
            let command = command.iter().take_while(|word| *word != ">").map(|word| {
                let value = PLACEHOLDERS.iter().find(|(placeholder, _)| placeholder == word).map(|(_, value)| *value);
                value.unwrap_or(word).to_owned()
            });
            let words: Vec<_> = command.collect();
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["fleetwright", ..] => found.push(words),
                ["cargo", "run", ..] => {
                    let arguments = words.into_iter().skip_while(|word| word != "--").skip(1);
                    found.push(std::iter::once("fleetwright".to_owned()).chain(arguments).collect());
                }
                _ => {}
            }
        }
    }
    found
}

/// Parses a command line. The fleet's name may come from the environment, as in most of the documentation.
fn parse(words: &[String]) -> Result<(), clap::Error> {
    let parsed = Command::try_parse_from(words).map(|_| ());
    match &parsed {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            let with_fleet = words.iter().map(String::as_str).chain(["--fleet", "appwrite"]);
            Command::try_parse_from(with_fleet).map(|_| ())
        }
        _ => parsed,
    }
}

#[test]
fn every_command_line_parses() {
    let (mut count, mut wrong) = (0, Vec::new());
    for page in documentation() {
        for words in page.blocks_in("sh").flat_map(commands) {
            count += 1;
            if let Err(error) = parse(&words) {
                wrong.push(format!("{}: {}\n{error}", page.path.display(), words.join(" ")));
            }
        }
    }
    assert!(count > 50, "only {count} command lines were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_in_a_sentence_exists() {
    // A sentence names a command, and not everything that the command requires.
    let incomplete = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    let mut wrong = Vec::new();
    for page in documentation() {
        let code = page.inline_code.iter().filter(|code| code.starts_with("fleetwright "));
        for words in code.flat_map(|code| commands(code)) {
            match Command::try_parse_from(&words) {
                Err(error) if !incomplete.contains(&error.kind()) => {
                    wrong.push(format!("{}: {}\n{error}", page.path.display(), words.join(" ")));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_summary_lists_every_page() {
    let summary = Page::read(file("docs/SUMMARY.md"));
    let listed: BTreeSet<_> = summary.links.iter().map(|link| file("docs").join(link)).collect();
    assert_eq!(listed, book().into_iter().collect());
}

#[test]
fn the_readme_is_short_and_shows_the_output_of_its_first_command() {
    let path = file("README.md");
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert!(lines <= README_LINES, "the README has {lines} lines");
    let readme = Page::read(path);
    let shown: Vec<_> = readme.blocks_in("text").collect();
    assert_eq!(shown, [rehearse("--to 1.4.14").out]);
}
