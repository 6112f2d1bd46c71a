//! What the search found, for machines and for people.

use super::{CallKind, Ending, FaultSpec, Result, Trial};
use crate::rehearse::Goal;
use console::Style;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

/// Every fault and what came of it: what `--output json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    schema_version: u32,
    /// How many rehearsals there were.
    pub runs: usize,
    /// How many call sites.
    pub sites: usize,
    /// What was made to go wrong, by name.
    pub faults: Vec<&'static str>,
    /// How many ended in each way.
    pub outcomes: BTreeMap<Ending, usize>,
    /// What did not hold.
    pub violations: Vec<Breach>,
    #[serde(skip)]
    rows: Vec<Row>,
    #[serde(skip)]
    several: usize,
}

/// Something that did not hold, and how to see it again.
#[derive(Debug, Clone, Serialize)]
pub struct Breach {
    /// The invariant's name.
    pub invariant: &'static str,
    /// The rehearsal's seed.
    pub seed: u64,
    /// Where faults struck.
    pub site: String,
    /// Which faults.
    pub fault: String,
    /// The command that shows it.
    pub reproduce: String,
    /// What was seen, with ids.
    #[serde(skip)]
    pub detail: String,
}

/// A line of the matrix: a call site, or a fault of the world, and what came of each thing that happened there.
#[derive(Debug, Clone)]
struct Row {
    name: String,
    /// By the fault's name: how it ended, and whether everything held.
    cells: BTreeMap<&'static str, (Ending, bool)>,
}

impl Matrix {
    /// `command` is what a reader puts before a trial's own arguments to see it again.
    pub(super) fn new(
        goal: Goal,
        command: &str,
        sites: usize,
        alone: &[(Trial, Result)],
        several: &[(Trial, Result)],
    ) -> Self {
        let endings = [goal.reached(), Ending::RolledBack, Ending::Frozen];
        let mut outcomes: BTreeMap<_, _> = endings.into_iter().map(|ending| (ending, 0)).collect();
        let mut faults = BTreeSet::new();
        let mut violations = Vec::new();
        for (trial, result) in alone.iter().chain(several) {
            *outcomes.entry(result.ending).or_default() += 1;
            faults.extend(trial.fault_specs.iter().map(FaultSpec::name));
            violations.extend(result.violations.iter().map(|violation| {
                Breach {
                    invariant: violation.invariant,
                    seed: trial.seed,
                    site: list(
                        trial
                            .fault_specs
                            .iter()
                            .map(|fault_spec| fault_spec.site().map_or("world".to_owned(), |site| site.to_string())),
                    ),
                    fault: list(trial.fault_specs.iter().map(|fault_spec| fault_spec.name().to_owned())),
                    reproduce: format!("{command} {}", trial.arguments()),
                    detail: violation.detail.clone(),
                }
            }));
        }
        Self {
            schema_version: 1,
            runs: alone.len() + several.len(),
            sites,
            faults: faults.into_iter().collect(),
            outcomes,
            violations,
            rows: rows(alone),
            several: several.len(),
        }
    }

    /// For people.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let widest = self.rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        let heads: Vec<_> =
            CallKind::ALL.iter().map(|kind| kind.name().split_once('-').unwrap_or(("", kind.name()))).collect();
        let widths: Vec<_> = heads.iter().map(|(above, below)| above.len().max(below.len())).collect();
        for line in [heads.iter().map(|head| head.0).collect::<Vec<_>>(), heads.iter().map(|head| head.1).collect()] {
            write!(out, "{:widest$}", if line[0].is_empty() { "" } else { "call site" })?;
            for (head, width) in line.iter().zip(&widths) {
                write!(out, "  {head:width$}")?;
            }
            writeln!(out)?;
        }
        let (calls, world): (Vec<_>, Vec<_>) = self.rows.iter().partition(|row| row.cells.len() > 1);
        for row in calls {
            write!(out, "{:widest$}", row.name)?;
            for (kind, width) in CallKind::ALL.iter().zip(&widths) {
                let cell = row.cells.get(kind.name()).map_or_else(String::new, |cell| letter(*cell));
                write!(out, "  {cell:width$}")?;
            }
            writeln!(out)?;
        }
        writeln!(out, "\n{:widest$}", "in the world")?;
        for row in world {
            let cell = row.cells.values().next().map_or_else(String::new, |cell| letter(*cell));
            writeln!(out, "{:widest$}  {cell}", row.name)?;
        }
        writeln!(
            out,
            "\nU upgraded, S scaled, I image taken, R rolled back, F frozen, - refused, = unchanged, ! an invariant did not hold\n"
        )?;
        writeln!(
            out,
            "{} rehearsals: {} call sites with {} faults each, {} with several faults at once",
            self.runs,
            self.sites,
            CallKind::ALL.len(),
            self.several
        )?;
        let outcomes = self.outcomes.iter().map(|(ending, count)| format!("{count} {}", ending.as_str()));
        writeln!(out, "{}", list(outcomes))?;
        if self.violations.is_empty() {
            return writeln!(out, "every invariant held");
        }
        for breach in &self.violations {
            let violated = Style::new().red().bold().apply_to("VIOLATED");
            writeln!(out, "{violated}  {}: {}\n          {}", breach.invariant, breach.detail, breach.reproduce)?;
        }
        Ok(())
    }
}

impl Trial {
    /// The arguments that rehearse it again.
    fn arguments(&self) -> String {
        let faults = self.fault_specs.iter().map(|fault_spec| format!(" --fault {fault_spec}"));
        format!("--seed {}{}", self.seed, faults.collect::<String>())
    }
}

fn list(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// A row for each thing that a fault can be at. What a trial has besides its last fault only leads there.
fn rows(alone: &[(Trial, Result)]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (trial, result) in alone {
        let Some(fault_spec) = trial.fault_specs.last() else { continue };
        let name = fault_spec.site().map_or_else(|| fault_spec.to_string(), ToString::to_string);
        let cell = (fault_spec.name(), (result.ending, result.violations.is_empty()));
        match rows.iter_mut().rev().find(|row| row.name == name) {
            Some(row) => drop(row.cells.insert(cell.0, cell.1)),
            None => rows.push(Row { name, cells: BTreeMap::from([cell]) }),
        }
    }
    rows
}

fn letter((ending, held): (Ending, bool)) -> String {
    let letter = match ending {
        Ending::Upgraded => "U",
        Ending::Scaled => "S",
        Ending::ImageTaken => "I",
        Ending::RolledBack => "R",
        Ending::Frozen => "F",
        Ending::Refused => "-",
        Ending::Unchanged => "=",
    };
    format!("{letter}{}", if held { "" } else { "!" })
}
