//! `Retry` and `Catch`: which errors they take, and how long a retry waits.

use std::time::Duration;

use crate::definition::ResultPath;
use crate::fault::{Trouble, names};
use crate::random::Random;
use crate::template::Template;

/// No wait is longer than the longest that a definition can name.
const DELAY_SECONDS_MAX: f64 = 99_999_999.0;

/// One entry of `Retry`. It counts its own attempts.
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
    /// How long to wait before the retry after `done` retries by this entry.
    pub(crate) fn delay(&self, done: u32, random: &Random) -> Duration {
        // Infinity times zero would be no number.
        if self.interval_seconds == 0 {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(done).unwrap_or(i32::MAX);
        let most = self.max_delay_seconds.map_or(DELAY_SECONDS_MAX, |seconds| seconds as f64);
        let seconds =
            (self.interval_seconds as f64 * self.backoff_rate.powi(exponent)).min(most).min(DELAY_SECONDS_MAX);
        Duration::from_secs_f64(if self.full_jitter { seconds * random.unit() } else { seconds })
    }
}

/// The retry that the first entry to know the error grants, if it has one left. Entries after it are not asked.
pub(crate) fn grant(retriers: &[Retrier], done: &mut [u32], trouble: &Trouble, random: &Random) -> Option<Duration> {
    let (retrier, done) = retriers.iter().zip(done).find(|(retrier, _)| takes(&retrier.errors, trouble))?;
    if *done >= retrier.max_attempts {
        return None;
    }
    let delay = retrier.delay(*done, random);
    *done += 1;
    Some(delay)
}

/// Whether a list of error names takes an error.
pub(crate) fn takes(errors: &[String], trouble: &Trouble) -> bool {
    !trouble.fatal
        && errors.iter().any(|name| match name.as_str() {
            names::ALL => trouble.wildcards,
            names::TASK_FAILED => {
                trouble.failure.error == names::TASK_FAILED
                    || (trouble.wildcards && trouble.failure.error != names::TIMEOUT)
            }
            name => name == trouble.failure.error || Some(name) == trouble.alias,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Failure;

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

    fn trouble(error: &str) -> Trouble {
        Trouble::of(Failure { error: error.to_owned(), cause: String::new() }, 0)
    }

    fn takes_it(name: &str, error: &str) -> bool {
        takes(&[name.to_owned()], &trouble(error))
    }

    #[test]
    fn wildcards_have_their_exceptions() {
        assert!(takes_it("States.ALL", "Custom"));
        assert!(takes_it("States.ALL", "States.Timeout"));
        assert!(!takes_it("States.ALL", "States.Runtime"));
        assert!(!takes_it("States.Runtime", "States.Runtime"));
        assert!(takes_it("States.TaskFailed", "Custom"));
        assert!(!takes_it("States.TaskFailed", "States.Timeout"));
        assert!(!takes_it("Custom", "Other"));
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
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
    fn each_entry_counts_its_own_and_the_first_to_match_decides() {
        let random = Random::from_seed(1);
        let retriers = [retrier(&["A"], 1), retrier(&["B"], 0), retrier(&["States.ALL"], 1)];
        let mut done = [0; 3];
        assert!(grant(&retriers, &mut done, &trouble("A"), &random).is_some());
        assert!(grant(&retriers, &mut done, &trouble("A"), &random).is_none());
        assert!(grant(&retriers, &mut done, &trouble("B"), &random).is_none());
        assert!(grant(&retriers, &mut done, &trouble("C"), &random).is_some());
        assert_eq!(done, [1, 0, 1]);
    }
}
