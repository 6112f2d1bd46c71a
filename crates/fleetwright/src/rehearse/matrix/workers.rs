//! Many trials on all processors. Each is alone on its thread and in its world, so the order changes nothing.

use super::{Pool, Result, Scenery, Search, Trial, unbroken};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs all trials; the results are in their order.
pub(super) fn all(
    search: &Search,
    scenery: &Scenery,
    trials: Vec<Trial>,
) -> std::result::Result<Vec<(Trial, Result)>, String> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(trials.len()));
    let work = || -> std::result::Result<(), String> {
        let pool = Pool::default();
        while let Some((n, trial)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            trials.get(n).map(|trial| (n, trial))
        } {
            let result = search.trial(scenery, &pool, &unbroken, trial)?;
            results.lock().unwrap_or_else(PoisonError::into_inner).push((n, result));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().map_err(|_| "a rehearsal panicked".to_owned())?);
        ended.collect::<std::result::Result<(), String>>()
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(n, _)| *n);
    Ok(trials.into_iter().zip(results.into_iter().map(|(_, result)| result)).collect())
}
