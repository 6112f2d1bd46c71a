//! `Retry` and `Catch`: which errors they match, and the delay before a retry.

use std::time::Duration;

use crate::definition::ResultPath;
use crate::error::{StateError, names};
use crate::random::Random;
use crate::template::Template;

/// The maximum delay: the longest one that a definition can set.
const DELAY_SECONDS_MAX: f64 = 99_999_999.0;

/// One entry of `Retry`. Each entry has its own count of retries.
#[derive(Clone, Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_seconds: u64,
    pub(crate) backoff_rate: f64,
    pub(crate) max_attempts: u32,
    pub(crate) max_delay_seconds: Option<u64>,
    pub(crate) full_jitter: bool,
}

/// One entry of `Catch`.
#[derive(Clone, Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) result_path: ResultPath,
    pub(crate) assign: Option<Template>,
    pub(crate) next: usize,
}

impl Retrier {
    /// The delay before the next retry, after `retries_done` retries by this entry.
    pub(crate) fn delay(&self, retries_done: u32, random: &Random) -> Duration {
        // Infinity times zero would not be a number.
        if self.interval_seconds == 0 {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(retries_done).unwrap_or(i32::MAX);
        let max = self.max_delay_seconds.map_or(DELAY_SECONDS_MAX, |seconds| seconds as f64);
        let seconds = (self.interval_seconds as f64 * self.backoff_rate.powi(exponent)).min(max).min(DELAY_SECONDS_MAX);
        Duration::from_secs_f64(if self.full_jitter { seconds * random.unit() } else { seconds })
    }
}

/// The delay before the next retry, or `None` if there is no further retry.
///
/// The first entry that matches the error decides alone. This counts the retry in `retries_done`, which has one number
/// for each entry.
pub(crate) fn next_retry(
    retriers: &[Retrier],
    retries_done: &mut [u32],
    error: &StateError,
    random: &Random,
) -> Option<Duration> {
    let (retrier, done) = retriers.iter().zip(retries_done).find(|(retrier, _)| matches_any(&retrier.errors, error))?;
    if *done >= retrier.max_attempts {
        return None;
    }
    let delay = retrier.delay(*done, random);
    *done += 1;
    Some(delay)
}

/// Whether one of the names in `ErrorEquals` matches the error.
pub(crate) fn matches_any(errors: &[String], error: &StateError) -> bool {
    !error.fatal
        && errors.iter().any(|name| match name.as_str() {
            names::ALL => error.wildcards,
            names::TASK_FAILED => {
                error.failure.error == names::TASK_FAILED || (error.wildcards && error.failure.error != names::TIMEOUT)
            }
            name => name == error.failure.error || Some(name) == error.alias,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Failure;

    fn retrier(errors: &[&str], max_attempts: u32) -> Retrier {
        let errors = errors.iter().map(|name| (*name).to_owned()).collect();
        Retrier {
            errors,
            interval_seconds: 2,
            backoff_rate: 2.0,
            max_attempts,
            max_delay_seconds: None,
            full_jitter: false,
        }
    }

    fn state_error(name: &str) -> StateError {
        StateError::new(Failure { error: name.to_owned(), cause: String::new() }, 0)
    }

    fn matches(name: &str, error: &str) -> bool {
        matches_any(&[name.to_owned()], &state_error(error))
    }

    #[test]
    fn wildcards_match_all_but_a_few_errors() {
        assert!(matches("States.ALL", "Custom"));
        assert!(matches("States.ALL", "States.Timeout"));
        assert!(!matches("States.ALL", "States.Runtime"));
        assert!(!matches("States.Runtime", "States.Runtime"));
        assert!(matches("States.TaskFailed", "Custom"));
        assert!(!matches("States.TaskFailed", "States.Timeout"));
        assert!(!matches("Custom", "Other"));
    }

    #[test]
    fn delays_grow_up_to_their_limit() {
        let random = Random::from_seed(1);
        let mut retrier = retrier(&["States.ALL"], 99_999_999);
        assert_eq!(retrier.delay(0, &random), Duration::from_secs(2));
        assert_eq!(retrier.delay(3, &random), Duration::from_secs(16));
        assert_eq!(retrier.delay(u32::MAX, &random), Duration::from_secs(99_999_999));
        retrier.max_delay_seconds = Some(5);
        assert_eq!(retrier.delay(3, &random), Duration::from_secs(5));
        retrier.full_jitter = true;
        assert!((0..100).all(|_| retrier.delay(9, &random) < Duration::from_secs(5)));
    }

    #[test]
    fn the_first_matching_entry_decides_and_counts_its_own_retries() {
        let random = Random::from_seed(1);
        let retriers = [retrier(&["A"], 1), retrier(&["B"], 0), retrier(&["States.ALL"], 1)];
        let mut done = [0; 3];
        assert!(next_retry(&retriers, &mut done, &state_error("A"), &random).is_some());
        assert!(next_retry(&retriers, &mut done, &state_error("A"), &random).is_none());
        assert!(next_retry(&retriers, &mut done, &state_error("B"), &random).is_none());
        assert!(next_retry(&retriers, &mut done, &state_error("C"), &random).is_some());
        assert_eq!(done, [1, 0, 1]);
    }
}
