//! The result of the fault search, as JSON and as text.

use super::{CallKind, Ending, FaultSpec, Trial, TrialResult};
use crate::rehearse::Goal;
use console::Style;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

/// Every fault and how the run ended: the object that `--output json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    schema_version: u32,
    /// The number of rehearsals.
    pub runs: usize,
    /// The number of call sites.
    pub sites: usize,
    /// The names of the faults that the rehearsals had.
    pub faults: Vec<&'static str>,
    /// The number of rehearsals by ending.
    pub outcomes: BTreeMap<Ending, usize>,
    /// The invariants that did not hold.
    pub violations: Vec<TrialViolation>,
    #[serde(skip)]
    rows: Vec<Row>,
    #[serde(skip)]
    several: usize,
}

/// An invariant that did not hold in a rehearsal, and the command that shows it.
#[derive(Debug, Clone, Serialize)]
pub struct TrialViolation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// The rehearsal's seed.
    pub seed: u64,
    /// The call sites of the rehearsal's faults; `world` for a world fault.
    pub site: String,
    /// The kinds of the rehearsal's faults.
    pub fault: String,
    /// The command that repeats the rehearsal.
    pub reproduce: String,
    /// The ids and values that violate the invariant.
    #[serde(skip)]
    pub detail: String,
}

/// A line of the matrix: a call site or a world fault.
#[derive(Debug, Clone)]
struct Row {
    name: String,
    /// How the rehearsal ended and whether every invariant held, by the name of the fault.
    cells: BTreeMap<&'static str, (Ending, bool)>,
}

impl Matrix {
    /// `command` followed by a trial's arguments repeats the trial.
    pub(super) fn new(
        goal: Goal,
        command: &str,
        sites: usize,
        alone: &[(Trial, TrialResult)],
        several: &[(Trial, TrialResult)],
    ) -> Self {
        let endings = [goal.success(), Ending::RolledBack, Ending::Frozen];
        let mut outcomes: BTreeMap<_, _> = endings.into_iter().map(|ending| (ending, 0)).collect();
        let mut faults = BTreeSet::new();
        let mut violations = Vec::new();
        for (trial, result) in alone.iter().chain(several) {
            *outcomes.entry(result.ending).or_default() += 1;
            faults.extend(trial.faults.iter().map(FaultSpec::name));
            violations.extend(result.violations.iter().map(|violation| TrialViolation {
                invariant: violation.invariant,
                seed: trial.seed,
                site: list(
                    trial.faults.iter().map(|fault| fault.site().map_or("world".to_owned(), ToString::to_string)),
                ),
                fault: list(trial.faults.iter().map(|fault| fault.name().to_owned())),
                reproduce: format!("{command} {}", trial.arguments()),
                detail: violation.detail.clone(),
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

    /// The matrix as text.
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
        writeln!(out, "\n{:widest$}", "world fault")?;
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
        for violation in &self.violations {
            let violated = Style::new().red().bold().apply_to("VIOLATED");
            writeln!(
                out,
                "{violated}  {}: {}\n          {}",
                violation.invariant, violation.detail, violation.reproduce
            )?;
        }
        Ok(())
    }
}

fn list(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// A row for each call site and world fault. The faults of a trial before its last one only bring about its scenario.
fn rows(alone: &[(Trial, TrialResult)]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (trial, result) in alone {
        let Some(fault) = trial.faults.last() else { continue };
        let name = fault.site().map_or_else(|| fault.to_string(), ToString::to_string);
        let cell = (fault.name(), (result.ending, result.violations.is_empty()));
        match rows.iter_mut().rev().find(|row| row.name == name) {
            Some(row) => drop(row.cells.insert(cell.0, cell.1)),
            None => rows.push(Row { name, cells: BTreeMap::from([cell]) }),
        }
    }
    rows
}

/// The matrix's letter for an ending, with `!` if an invariant did not hold.
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
