//! The progress of a fault search.

use super::bar;
use crate::Streams;
use indicatif::ProgressBar;

/// Something that happens in a fault search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEvent {
    /// The call sites are collected. The rehearsals with one fault each begin.
    OneFaultEach {
        /// The number of call sites.
        sites: usize,
        /// The number of rehearsals that follow.
        rehearsals: usize,
    },
    /// The rehearsals with several faults each begin.
    SeveralFaultsEach {
        /// The number of rehearsals that follow.
        rehearsals: usize,
    },
    /// A rehearsal ended.
    RehearsalEnded {
        /// The number of invariants that did not hold in it.
        violations: usize,
    },
}

/// Shows a fault search: a bar with the violations so far and the time on a terminal. Elsewhere a line for each phase, and
/// one for each tenth of it.
pub(crate) struct SearchDisplay<'d, 's> {
    streams: &'d mut Streams<'s>,
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
    violations: usize,
}

impl<'d, 's> SearchDisplay<'d, 's> {
    /// A display of a search that is about to collect the call sites.
    pub(crate) fn new(streams: &'d mut Streams<'s>) -> Self {
        let bar = bar(None, "{spinner} {elapsed_precise} {msg}", streams);
        if let Some(bar) = &bar {
            bar.set_message("collecting the call sites");
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
        }
        Self { streams, bar, total: 0, done: 0, violations: 0 }
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &SearchEvent) {
        match event {
            SearchEvent::OneFaultEach { sites, rehearsals } => {
                self.begin(*rehearsals, format!("{sites} call sites; {rehearsals} rehearsals with one fault each"));
            }
            SearchEvent::SeveralFaultsEach { rehearsals } => {
                self.begin(*rehearsals, format!("{rehearsals} rehearsals with several faults each"));
            }
            SearchEvent::RehearsalEnded { violations } => self.rehearsal_ended(*violations),
        }
    }

    fn begin(&mut self, rehearsals: usize, phase: String) {
        (self.total, self.done) = (rehearsals, 0);
        match &self.bar {
            Some(bar) => {
                bar.println(&phase);
                bar.set_length(rehearsals as u64);
                bar.set_position(0);
                bar.set_style(super::style("{bar:24} {pos}/{len} {elapsed_precise} {msg}"));
                bar.set_message(self.violated());
            }
            None => self.streams.talk(phase),
        }
    }

    fn rehearsal_ended(&mut self, violations: usize) {
        let tenths = |done: usize| done * 10 / self.total.max(1);
        let is_new_tenth = tenths(self.done + 1) > tenths(self.done);
        self.done += 1;
        self.violations += violations;
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(self.violated());
            }
            None if is_new_tenth => {
                let line = format!("{} of {} rehearsals, {}", self.done, self.total, self.violated());
                self.streams.talk(line);
            }
            None => {}
        }
    }

    fn violated(&self) -> String {
        match self.violations {
            1 => "1 violation".to_owned(),
            n => format!("{n} violations"),
        }
    }

    /// Ends the display and removes the bar.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_each_phase_and_each_tenth_of_it_is_a_line() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, terminal: false };
        let mut display = SearchDisplay::new(&mut streams);
        display.show(&SearchEvent::OneFaultEach { sites: 3, rehearsals: 25 });
        (1..=25).for_each(|n| display.show(&SearchEvent::RehearsalEnded { violations: usize::from(n == 4) }));
        display.show(&SearchEvent::SeveralFaultsEach { rehearsals: 1 });
        display.show(&SearchEvent::RehearsalEnded { violations: 2 });
        display.end();
        let err = String::from_utf8(err).unwrap();
        let lines: Vec<_> = err.lines().collect();
        assert_eq!(lines.len(), 13, "{err}");
        assert_eq!(
            lines[..3],
            [
                "3 call sites; 25 rehearsals with one fault each",
                "3 of 25 rehearsals, 0 violations",
                "5 of 25 rehearsals, 1 violation",
            ]
        );
        assert_eq!(
            lines[10..],
            [
                "25 of 25 rehearsals, 1 violation",
                "1 rehearsals with several faults each",
                "1 of 1 rehearsals, 3 violations",
            ]
        );
        assert!(out.is_empty());
    }
}
