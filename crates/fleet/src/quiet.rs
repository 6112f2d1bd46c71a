//! When an upgrade disturbs the fewest requests: the quiet window of a week, and the windows in which upgrades may run.
//!
//! Everything here is a function of what was observed and of a given time. Local time is that of the fleet's time zone. As in
//! EventBridge Scheduler, an hour that does not exist on a day is skipped, and of an hour that occurs twice the first counts
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).

mod local_zone;
mod pattern;
mod quarters;
mod quietest;
mod run_length;
mod time_of_day;
mod trace;
mod trace_file;
mod weekday;
mod weekly_time;
mod window;
mod windows;

pub use local_zone::{InvalidTimeZone, LocalZone};
pub use pattern::Period;
pub use quietest::{Hindsight, QuietError, QuietWindow, Seen, quietest};
pub use run_length::{ExpectedLength, expected_length, percentile_95};
pub use time_of_day::InvalidTimeOfDay;
pub use trace::{Trace, TraceError};
pub use weekday::InvalidWeekday;
pub use weekly_time::{InvalidWeeklyTime, WeeklyTime};
pub use window::{InvalidWindow, Window};
pub use windows::{NotPermitted, Windows};
