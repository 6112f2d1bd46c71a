//! Waits for other processes, in real time.

use std::time::Duration;

/// Polls until `poll` returns an answer, for one minute at most. Then it panics with `what`.
#[expect(clippy::disallowed_methods, reason = "another process cannot wake this one, so it has to be polled")]
pub fn until<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(answer) = poll() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("after one minute still not true: {what}");
}
