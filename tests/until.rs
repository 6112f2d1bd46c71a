//! Waiting for other processes, in real time.

use std::time::Duration;

/// Polls until there is an answer, for one minute at most. Panics with `what` after that.
#[expect(clippy::disallowed_methods, reason = "another process cannot wake this one, so it has to be polled")]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("after one minute still not true: {what}");
}
