//! Virtual time: tokio's clock, and the wall time that it shows.

use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

/// Time since the start of the rehearsal.
pub(crate) type Time = Duration;

/// Advances only when tokio's clock does. A paused tokio clock advances when every task waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    start: SystemTime,
}

impl Clock {
    pub(crate) fn starting_at(start: SystemTime) -> Clock {
        Clock { origin: Instant::now(), start }
    }

    pub(crate) fn elapsed(&self) -> Time {
        self.origin.elapsed()
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.start + self.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_follows_tokios_clock() {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(clock.elapsed(), Duration::from_secs(3_600));
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(3_600));
    }
}
