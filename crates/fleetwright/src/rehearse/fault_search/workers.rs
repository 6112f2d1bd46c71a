//! Runs many trials on all processors. Each trial has its thread and its world to itself, so their order changes nothing.

use super::{ClientPool, FaultSearch, RehearsalError, Shared, Trial, TrialResult};
use crate::display::SearchEvent;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Runs all trials and reports each that ends. The results are in the order of the trials.
pub(super) fn run_all(
    search: &FaultSearch,
    shared: &Shared,
    trials: Vec<Trial>,
    observer: &mut dyn FnMut(SearchEvent),
) -> Result<Vec<(Trial, TrialResult)>, RehearsalError> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let work = |sender: mpsc::Sender<_>| -> Result<(), RehearsalError> {
        let pool = ClientPool::default();
        while let Some((n, trial)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            trials.get(n).map(|trial| (n, trial))
        } {
            let result = search.trial(shared, &pool, trial)?;
            // The receiver lives until the last sender is dropped.
            let _ = sender.send((n, result));
        }
        Ok(())
    };
    let work = &work;
    let mut results: Vec<(usize, TrialResult)> = Vec::with_capacity(trials.len());
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || work(sender))
            })
            .collect();
        // The channel closes when the last worker drops its sender.
        drop(sender);
        for (n, result) in receiver {
            observer(SearchEvent::RehearsalEnded { violations: result.violations.len() });
            results.push((n, result));
        }
        let ended = workers.into_iter().map(|worker| worker.join().map_err(|_| RehearsalError::Panicked)?);
        ended.collect::<Result<(), RehearsalError>>()
    })?;
    results.sort_by_key(|(n, _)| *n);
    Ok(trials.into_iter().zip(results.into_iter().map(|(_, result)| result)).collect())
}
